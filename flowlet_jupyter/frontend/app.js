// @ts-check
// One part of a page in which the views follow each other, kept up to date from the server while it is shown.

import { afterForm, expecting, initialAppState, settled, vaultsProblem } from "./app_state.js";
import { button, element } from "./dom.js";
import { secretForm } from "./form.js";
import { GRANT_CODE } from "./form_state.js";
import { connectView, manageView } from "./manage.js";
import { liveRegion } from "./live_region.js";
import { call, changes, secretPath } from "./server.js";
import { tableView } from "./table.js";
import { statusChange } from "./timeline.js";

const POLL_MILLISECONDS = 2000;

/**
 * `start` says which view is first; `noServer()` is called when this page reaches no server extension.
 * Returns {close, onMessage}: `onMessage` takes what the kernel says ({folder, required} or {url}).
 * @param {HTMLElement} el @param {{kind: any, name: string, prefill: Record<string, any>, isPage?: boolean}} start `isPage`: the browser's back and reload are for it @param {() => void} [noServer]
 */
export function openApp(el, start, noServer) {
  // Lumino would take Enter, letters and arrows for the notebook's own shortcuts
  const root = element("div", { class: "flowlet", "data-lm-suppress-shortcuts": "true" });
  const warning = element("p", { class: "flowlet-error" });
  const content = element("div", {}, element("p", { class: "flowlet-hint" }, "Asking the Jupyter server …"));
  const live = liveRegion();
  root.append(warning, content, live.node);
  el.append(root);

  let state = initialAppState({ kind: start.kind, name: start.name });
  let drawing = 0;
  /** @type {import("./server.js").Secret | null} */
  let shown = null; // the secret whose view is shown
  let drawn = ""; // what the view that is shown was made of: the same is not drawn again
  const back = start.kind === "table" || start.kind === "form" ? () => go({ kind: "table", name: "" }) : null;

  /** @type {import("./server.js").View} */
  const view = {
    changed(name) {
      channel.notify(name);
      draw();
    },
    manage: (name) => go({ kind: "manage", name }),
    edit: (secret, prefill) => { showForm(secret, prefill); },
    expectToken(secret) {
      state = expecting(state, secret, Date.now());
      live.announce(`Waiting for you to allow ${secret.name} in the other tab.`);
      setTimeout(draw, 0); // after the link was followed
    },
    isExpecting: (name) => state.expected?.name === name,
    endedWaiting: (name) => (state.ended?.name === name ? state.ended.text : ""),
    startsAtOnce(name) {
      const isStarting = state.starting === name;
      state = { ...state, starting: null };
      return isStarting;
    },
    live,
  };

  /** @param {import("./app_state.js").Route} route */
  function go(route) {
    state = { ...state, route };
    if (start.isPage) history.pushState({ route }, "");
    draw({ focus: true });
  }

  /** @param {PopStateEvent} event */
  function onBack(event) {
    state = { ...state, isEditing: false, route: event.state?.route ?? { kind: "table", name: "" } };
    draw({ focus: true });
  }
  if (start.isPage) {
    if (history.state?.route) state = { ...state, route: history.state.route };
    addEventListener("popstate", onBack);
  }

  /** @param {HTMLElement} node @param {boolean} [focus] */
  function put(node, focus) {
    // what had the keyboard keeps it through a redraw
    const held = content.contains(document.activeElement) ? document.activeElement?.textContent : null;
    content.replaceChildren(node);
    live.show("");
    const controls = /** @type {HTMLElement[]} */ ([...node.querySelectorAll("a, button, input, select")]);
    const primary = node.querySelector(".flowlet-primary:not([hidden])");
    const first = node.querySelector("form input:not([readonly])") ?? primary ?? controls[0];
    const next = focus ? first : held ? controls.find((control) => control.textContent === held) : null;
    /** @type {HTMLElement | null | undefined} */ (next)?.focus({ preventScroll: true });
  }

  /** @param {any} error */
  function fail(error) {
    drawn = "";
    content.replaceChildren(button("Try again", () => draw({ focus: true })));
    shown = null;
    live.show(error.message, { isError: true });
    if (!error.isCut || state.isCut) return;
    state = { ...state, isCut: true };
    noServer?.();
  }

  /** @param {import("./server.js").Secret | null} secret @param {Record<string, any>} [prefill] */
  async function showForm(secret, prefill) {
    if (start.isPage && state.route.kind !== "form") history.pushState({ route: state.route }, ""); // back closes the form
    state = { ...state, isEditing: true }; // a form is never redrawn while it is filled in
    drawn = "";
    shown = null;
    try {
      const form = await secretForm(secret, prefill ?? {}, live, (name, request) => {
        state = afterForm(state, name, request, Date.now());
        if (start.isPage) history.replaceState({ route: state.route }, "");
        if (request === "blocked") live.keep("The browser stopped the new tab. The secret is saved: press Request access token.");
        if (name) {
          channel.notify(name);
          live.announce(`Secret ${name} is saved.`);
        }
        draw({ focus: true });
      });
      put(form, true);
    } catch (error) {
      state = { ...state, isEditing: false };
      fail(error);
    }
  }

  // What the view that is shown is made of, as the server has it now.
  async function read() {
    if (state.route.kind === "table") {
      const [secrets, providers, schema] = await Promise.all(["api/secrets", "api/providers", "api/schema"].map((path) => call("GET", path)));
      return { secrets, providers, schema, required: state.required, vault: /** @type {any} */ (state.serverVault) };
    }
    const secret = await call("GET", secretPath(state.route.name));
    if (secret.grant_type === GRANT_CODE && !secret.status.access_token) secret.redirect_uri_here = await redirectUriOf(secret.name);
    return secret;
  }

  /** @type {Map<string, string>} */
  const redirectUris = new Map(); // it stays while the server runs
  /** @param {string} name */
  async function redirectUriOf(name) {
    if (!redirectUris.has(name)) redirectUris.set(name, (await call("GET", `api/redirect-uri?secret=${encodeURIComponent(name)}`)).redirect_uri);
    return redirectUris.get(name);
  }

  /** @param {any} read what `read` gave */
  function render(read) {
    if (state.route.kind === "table") return tableView(read, state.order, view);
    return state.route.kind === "connect" ? connectView(read, view) : manageView(read, view, back);
  }

  /** @param {{focus?: boolean}} options */
  async function draw({ focus } = {}) {
    if (state.isEditing) return;
    drawing += 1;
    const mine = drawing;
    try {
      if (!state.serverVault) {
        const serverVault = await call("GET", "api/vault"); // meanwhile the kernel may have said what is required
        state = { ...state, serverVault };
      }
      warnOfVaults();
      const known = await read();
      if (mine !== drawing || state.isEditing) return;
      const { ended } = state;
      state = settled(state, state.route.kind === "table" ? null : known, Date.now());
      if (state.ended && state.ended !== ended) live.announce(state.ended.text);
      const made = JSON.stringify([state.route, state.expected?.name ?? null, state.ended, known]);
      // a question that waits for its answer, and a field that is being filled in, stay
      if (made === drawn && !focus) return;
      drawn = made;
      put(render(known), focus);
      announceChange(state.route.kind === "table" ? null : known);
    } catch (error) {
      if (mine !== drawing) return;
      const { status } = /** @type {any} */ (error);
      if (status === 404 && back && state.route.kind === "manage") back(); // deleted elsewhere
      else fail(error);
    }
  }

  /** @param {import("./server.js").Secret | null} secret as it is shown now */
  function announceChange(secret) {
    const change = secret && shown?.name === secret.name ? statusChange(secret.name, shown.status, secret.status) : "";
    if (change) live.announce(change);
    shown = secret;
  }

  function warnOfVaults() {
    const problem = vaultsProblem(state);
    if (problem && problem !== warning.textContent) live.announce(problem);
    warning.textContent = problem;
  }

  const channel = changes((name) => {
    if (state.route.kind === "table" || !name || name === state.route.name) draw();
  });
  const clock = setInterval(() => {
    for (const text of content.querySelectorAll(".flowlet-ticking")) /** @type {any} */ (text).update?.();
  }, 1000);
  const poll = setInterval(() => {
    if (!state.expected && state.route.kind !== "connect") return; // the status is awaited only while a flow is pending
    if (!document.hidden && !state.isCut) draw();
  }, POLL_MILLISECONDS);
  const onVisible = () => { if (!document.hidden && state.expected) draw(); };
  document.addEventListener("visibilitychange", onVisible);

  if (state.route.kind === "form") showForm(null, start.prefill);
  else draw();

  return {
    /** @param {any} message */
    onMessage(message) {
      if (message.folder) state = { ...state, kernelVault: message.folder };
      if (message.required) {
        state = { ...state, required: message.required };
        if (state.route.kind === "table" && !state.isCut) draw();
      }
      if (message.url) {
        live.keep(
          "Instead, this kernel serves the page itself: ",
          element("a", { href: message.url, target: "_blank", rel: "noopener noreferrer" }, "open secrets and tokens"),
          " (in a browser on the kernel's machine, for the next ten minutes).",
        );
      }
      warnOfVaults();
    },
    close() {
      clearInterval(clock);
      clearInterval(poll);
      document.removeEventListener("visibilitychange", onVisible);
      removeEventListener("popstate", onBack);
      channel.close();
    },
  };
}
