// One place of a page in which the views follow each other, kept up to date from the server while it is shown.

import { element } from "./dom.js";
import { secretForm } from "./form.js";
import { connectView, manageView } from "./manage.js";
import { call, changes, secretPath } from "./server.js";
import { tableView } from "./table.js";

const POLL_MILLISECONDS = 2000;
const FLOW_MILLISECONDS = 10 * 60 * 1000; // as long as the server keeps a flow

// `start` is {kind, name, prefill}; `noServer()` is called when this page reaches no server extension.
// Returns {close, onMessage}: `onMessage` takes what the kernel says ({folder, required} or {url}).
export function openApp(el, start, noServer) {
  // Lumino would take Enter, letters and arrows for the notebook's own shortcuts
  const root = element("div", { class: "flowlet", "data-lm-suppress-shortcuts": "true" });
  const warning = element("p", { class: "flowlet-error", role: "alert", hidden: true });
  const content = element("div", {}, element("p", { class: "flowlet-hint" }, "Asking the Jupyter server …"));
  const note = element("p", { class: "flowlet-warning", role: "status", hidden: true });
  root.append(warning, content, note);
  el.append(root);

  let route = start; // which view is shown: a kind and the secret's name
  let editing = null; // a form is never redrawn under the person who fills it in
  let expected = null; // {name, before, until}: a token is awaited from another tab
  let drawing = 0;
  let serverVault = null;
  let kernelVault = null;
  let required = []; // what flowlet.toml beside the notebook asks for
  let isCut = false; // no server extension

  const view = {
    changed(name) {
      channel.notify(name);
      draw();
    },
    manage(name) {
      route = { kind: "manage", name };
      draw({ focus: true });
    },
    edit(secret, prefill) {
      showForm(secret, prefill);
    },
    expectToken(secret) {
      expected = { name: secret.name, before: secret.status.obtained_at, until: Date.now() + FLOW_MILLISECONDS };
      setTimeout(draw, 0); // after the link was followed
    },
    isExpecting: (name) => expected?.name === name,
    notify,
  };
  const back = start.kind === "table" || start.kind === "form" ? () => { route = { kind: "table", name: "" }; draw({ focus: true }); } : null;

  function notify(...content) {
    note.replaceChildren(...content);
    note.hidden = false;
  }

  function put(node, focus) {
    // what had the keyboard keeps it through a redraw
    const held = content.contains(document.activeElement) ? document.activeElement.textContent : null;
    content.replaceChildren(node);
    const controls = [...node.querySelectorAll("a, button, input, select")];
    const next = focus ? controls[0] : held && controls.find((control) => control.textContent === held);
    next?.focus({ preventScroll: true });
  }

  function fail(error) {
    put(element("p", { class: "flowlet-error", role: "alert" }, error.message));
    if (!error.isCut || isCut) return;
    isCut = true;
    noServer?.();
  }

  async function showForm(secret, prefill) {
    editing = {};
    try {
      const form = await secretForm(secret, prefill ?? {}, (name) => {
        editing = null;
        if (name) {
          route = { kind: "manage", name };
          channel.notify(name);
        } else if (route.kind === "form") route = { kind: "table", name: "" };
        draw({ focus: true });
      });
      put(form, true);
    } catch (error) {
      editing = null;
      fail(error);
    }
  }

  async function draw({ focus } = {}) {
    if (editing) return;
    drawing += 1;
    const mine = drawing;
    try {
      serverVault ??= await call("GET", "api/vault");
      warnOfVaults();
      let node;
      if (route.kind === "table") node = tableView(await call("GET", "api/secrets"), await call("GET", "api/providers"), await call("GET", "api/schema"), required, serverVault, view);
      else {
        const secret = await call("GET", secretPath(route.name));
        if (expected?.name === secret.name && secret.status.obtained_at && secret.status.obtained_at !== expected.before) expected = null;
        node = route.kind === "connect" ? connectView(secret, view) : manageView(secret, view, back);
      }
      if (mine === drawing && !editing) put(node, focus);
    } catch (error) {
      if (mine !== drawing) return;
      if (error.status === 404 && back && route.kind === "manage") back(); // deleted elsewhere
      else fail(error);
    }
  }

  function warnOfVaults() {
    const differ = serverVault && kernelVault && serverVault.folder !== kernelVault;
    warning.hidden = !differ;
    if (differ) {
      warning.textContent =
        `The Jupyter server keeps secrets in ${serverVault.folder}, this kernel in ${kernelVault}. ` +
        "Set FLOWLET_VAULT to the same folder for both.";
    }
  }

  const channel = changes((name) => {
    if (route.kind === "table" || !name || name === route.name) draw();
  });
  const clock = setInterval(() => {
    for (const text of content.querySelectorAll(".flowlet-expiry")) text.update?.();
  }, 1000);
  const poll = setInterval(() => {
    if (!expected && route.kind !== "connect") return; // the status is awaited only while a flow is pending
    if (expected && Date.now() > expected.until) expected = null;
    if (!document.hidden && !isCut) draw();
  }, POLL_MILLISECONDS);
  const onVisible = () => { if (!document.hidden && expected) draw(); };
  document.addEventListener("visibilitychange", onVisible);

  if (route.kind === "form") showForm(null, start.prefill);
  else draw();

  return {
    onMessage(message) {
      if (message.folder) kernelVault = message.folder;
      if (message.required) {
        required = message.required;
        if (route.kind === "table" && !isCut) draw();
      }
      if (message.url) {
        notify(
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
      channel.close();
    },
  };
}
