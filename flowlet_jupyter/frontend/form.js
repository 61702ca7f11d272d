// @ts-check
// The form of a secret, new or edited. It posts to the server extension; nothing of it is a synced trait.

import { button, element, labelled, outwardLink, textInput } from "./dom.js";
import { allProblems, fieldProblem, mistakesSummary } from "./form_checks.js";
import { drawRow, tabForLater } from "./form_controls.js";
import { requestBody } from "./form_request.js";
import { detailsSummary, requestOf, sectionsOf } from "./form_sections.js";
import { canFillIn, fieldsOf, filledIn, initialState, matchable, providerOf, withChoice, withDiscovery, withFields, withPasted, withSuggestedName } from "./form_state.js";
import { hostsOnly, kindOf, understood } from "./pasted.js";
import { providerPicker } from "./provider_picker.js";
import { providerOfPasted, providerOfSecret } from "./provider_search.js";
import { approvalText } from "./required.js";
import { call, flowletUrl, secretPath } from "./server.js";

// A change of one of these changes which rows there are.
const REDRAWN_BY = new Set(["grant_type", "token_endpoint_auth_method", "registering"]);
const CHECK_MILLISECONDS = 700; // a mistake is shown when the typing pauses, not at each letter
const PRIMARY = { browser: "Save and request access token", device: "Save and request a code", direct: "Save and request access token", none: "Save" };

/**
 * The form. `secret` is null for a new one, which `prefill` may fill in. Calls `done(name, request)` after saving, where
 * `request` says how the access token is requested, or `done(null)` when it is cancelled.
 * @param {import("./server.js").Secret | null} secret @param {any} prefill @param {import("./live_region.js").Live} live
 * @param {(name: string | null, request?: "browser" | "device" | "direct" | "blocked" | "none") => void} done
 */
export async function secretForm(secret, prefill, live, done) {
  const [{ redirect_uri: redirectUri, problem: redirectProblem }, providers, schema, stored] = await Promise.all([
    call("GET", `api/redirect-uri${secret ? `?secret=${encodeURIComponent(secret.name)}` : ""}`), call("GET", "api/providers"), call("GET", "api/schema"), call("GET", "api/secrets"),
  ]);
  const names = stored.map((/** @type {any} */ entry) => entry.name);
  const used = stored.map((/** @type {any} */ entry) => providerOfSecret(entry, providers)?.key).filter(Boolean);
  let state = initialState(secret, prefill, { schema, providers, names, redirectUri, redirectProblem });
  /** @type {Record<string, import("./dom.js").Labelled>} */
  let controls = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;

  const title = state.isNew ? "Add secret" : `Edit secret ${state.name}`;
  const name = labelled("Name", textInput(state.name, state.isNew ? {} : { readonly: "" }), { hint: "How requests name it: --secret NAME" });
  const approval = state.approval && labelled("Approve the hosts", element("input", { type: "checkbox" }), { hint: approvalText(state.approval) });
  const body = element("div");
  const save = element("button", { type: "submit", class: "flowlet-primary" });
  const saveOnly = button("Save only", () => submit(false));
  const actions = element("div", { class: "flowlet-actions" }, save, saveOnly, button("Cancel", () => done(null)));

  function render() {
    const focused = body.contains(document.activeElement) ? document.activeElement?.getAttribute("data-field") : null;
    save.hidden = saveOnly.hidden = state.isChoosing;
    save.textContent = PRIMARY[requestOf(state)];
    saveOnly.hidden ||= requestOf(state) === "none";
    if (state.isChoosing) {
      controls = {};
      body.replaceChildren(providerPicker({ ...state, used }, choose));
      return;
    }
    const sections = sectionsOf(state);
    controls = Object.fromEntries(sections.flatMap((section) => section.rows).map((row) => [row.key, drawRow(row, { discover, stored: state.isNew ? "" : "leave empty to keep the stored one" })]));
    const steps = sections.filter((section) => section.key !== "details");
    const isNumbered = state.isNew && steps.length > 1;
    body.replaceChildren(
      ...(state.isNew ? [chosenProvider()] : []),
      ...(isNumbered ? [element("ol", { class: "flowlet-steps" }, ...steps.map((section) => element("li", {}, stepTitle(section), ...rowsOf(section))))] : steps.flatMap(rowsOf)),
      ...(state.isNew ? [name.row] : []),
      ...(approval ? [approval.row] : []),
      ...sections.filter((section) => section.key === "details").map(details),
    );
    if (name.control.value !== state.name) name.control.value = state.name;
    if (focused) controls[focused]?.control.focus();
  }

  /** @param {import("./form_state.js").Section} section */
  const rowsOf = (section) => section.rows.map((row) => controls[row.key].row);

  /** @param {import("./form_state.js").Section} section */
  function stepTitle(section) {
    return element("p", { class: "flowlet-step" }, section.title, section.link ? " " : null, section.link ? outwardLink(section.link, section.linkText ?? section.link) : null);
  }

  function chosenProvider() {
    const entry = providerOf(state);
    const label = entry?.title ?? (state.kind === "oauth2" ? "Another OAuth2 provider" : schema[state.kind].label);
    const about = [entry?.ends ? `Ends on ${entry.ends}.` : "", entry?.notes ?? ""].filter(Boolean).join(" ");
    return element("div", {}, element("p", { class: "flowlet-chosen" }, element("strong", {}, label), " ", state.approval ? null : button("Change", () => {
      state = { ...initialState(null, {}, state), name: state.isNameTyped ? state.name : "", isNameTyped: state.isNameTyped };
      showNothing();
      render();
      focusFirst();
    }, { "aria-label": "Change the provider" })), about ? element("p", { class: "flowlet-hint" }, about) : null);
  }

  /** @param {import("./form_state.js").Section} section */
  function details(section) {
    const line = element("span", { class: "flowlet-hint", "data-summary": "" }, detailsSummary(state));
    const made = element("details", { class: "flowlet-rare", open: state.isDetailsOpen, ontoggle: () => { state.isDetailsOpen = made.open; } },
      element("summary", {}, section.title, " ", line), ...rowsOf(section));
    return made;
  }

  function focusFirst() {
    const first = /** @type {HTMLElement | null} */ (body.querySelector("input:not([readonly]), textarea, select"));
    first?.focus({ preventScroll: true });
  }

  function showNothing() {
    live.show("");
    for (const row of [name, ...Object.values(controls), ...(approval ? [approval] : [])]) row.showError("");
  }

  // What the user typed or chose goes into the state at once; it is drawn again only where the rows change.
  function onInput(/** @type {any} */ event) {
    undoPaste = null;
    const key = event.target.dataset?.field;
    if (event.target === name.control) state = { ...state, name: name.control.value, isNameTyped: name.control.value.trim() !== "" };
    else if (!controls[key]) return;
    else {
      const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
      if (key === "registering") state.isRegistering = value;
      else if (key.startsWith("parameter:")) state.parameters[key.slice("parameter:".length)] = value.trim();
      else if (fieldsOf(state).some((field) => field.name === key && field.is_value)) state.secrets[key] = value;
      else state.values[key] = value;
      state = withSuggestedName(state);
      if (name.control.value !== state.name) name.control.value = state.name;
      const summary = body.querySelector("[data-summary]");
      if (summary) summary.textContent = detailsSummary(state);
    }
    const row = event.target === name.control ? name : controls[key];
    const check = () => row.showError(fieldProblem(state, event.target === name.control ? "name" : key));
    clearTimeout(pause);
    // a mistake that is shown goes the moment it is mended
    if (row.control.hasAttribute("aria-invalid")) check();
    else pause = setTimeout(check, CHECK_MILLISECONDS);
  }

  function onChange(/** @type {any} */ event) {
    const key = event.target.dataset?.field;
    if (key === "allowed_hosts") event.target.value = hostsOnly(event.target.value);
    onInput(event);
    clearTimeout(pause);
    const row = event.target === name.control ? name : controls[key];
    row?.showError(fieldProblem(state, event.target === name.control ? "name" : key));
    if (key === "registering") askRedirectUri().then(render, (error) => row.showError(error.message));
    else if (REDRAWN_BY.has(key)) render();
  }

  function onPaste(/** @type {ClipboardEvent} */ event) {
    const pasted = understood(event.clipboardData?.getData("text") ?? "");
    if (!pasted) return;
    if (state.isChoosing) {
      event.preventDefault();
      startFrom(pasted);
      return;
    }
    const { state: next, filled } = withPasted(state, pasted);
    if (!filled.length) return;
    event.preventDefault();
    const before = state;
    state = next;
    render();
    offerUndo(before, filledInText(pasted, filled));
  }

  /** @type {(() => void) | null} */
  let undoPaste = null; // until something else is typed; the browser's own undo ends where the form is drawn again
  /** @param {import("./form_state.js").State} before @param {string} text */
  function offerUndo(before, text) {
    undoPaste = () => {
      undoPaste = null;
      state = before;
      showNothing();
      render();
      focusFirst();
      live.announce("Undone.");
    };
    live.show(text, { action: button("Undo", () => undoPaste?.()) });
  }

  // The form of what was pasted into the search: of the catalogue's entry, where it is known whose client or key it is.
  async function startFrom(/** @type {import("./pasted.js").Pasted} */ pasted) {
    const before = { ...state, values: { ...state.values }, secrets: { ...state.secrets }, parameters: { ...state.parameters } };
    const kind = kindOf(pasted);
    let entry = providerOfPasted(pasted, kind, providers);
    /** @type {Record<string, any>} */
    let fields = {};
    if (!entry && pasted.values.token_endpoint) {
      fields = await call("POST", "api/completed", { body: matchable(pasted) }).catch(() => ({}));
      entry = providers.find((/** @type {any} */ candidate) => candidate.key === fields.provider);
    }
    if (fields.provider) {
      state = withFields(state, kind, fields);
      await askRedirectUri();
    } else await choose({ kind, provider: entry?.key ?? null });
    const { state: next, filled } = withPasted(state, pasted);
    state = next;
    showNothing();
    render();
    focusFirst();
    offerUndo(before, filledInText(pasted, filled));
  }

  /** @param {import("./pasted.js").Pasted} pasted @param {string[]} filled */
  function filledInText({ from }, filled) {
    return `Filled in from ${from}: ${filled.join(", ")}.`;
  }

  // What is shown to be registered is what will be sent: the server says it, by the provider's own rule.
  async function askRedirectUri() {
    const { provider, authorization_endpoint: endpoint, client_id: clientId } = state.values;
    const query = new URLSearchParams({ ...(provider && { provider }), ...(endpoint && { authorization_endpoint: endpoint }), ...(clientId && { client_id: clientId }), ...(state.isRegistering && { registering: "yes" }) });
    const { redirect_uri: redirectUri, problem: redirectProblem } = await call("GET", `api/redirect-uri?${query}`);
    state = { ...state, redirectUri, redirectProblem };
  }

  async function choose(/** @type {{kind: string, provider: string | null, address?: string}} */ chosen, /** @type {any} */ parameters = {}) {
    state = withChoice(state, chosen, parameters);
    showNothing();
    try {
      await fillIn();
      if (state.kind === "oauth2") await askRedirectUri();
    } catch (error) {
      live.show(/** @type {Error} */ (error).message, { isError: true });
    }
    render();
    focusFirst();
    if (chosen.kind === "oauth2" && chosen.address) await discover();
  }

  async function fillIn() {
    if (!canFillIn(state)) return;
    const fields = await call("POST", `api/providers/${encodeURIComponent(state.values.provider)}`, { body: state.parameters });
    state = filledIn(state, fields);
  }

  async function discover() {
    try {
      const discovered = await call("POST", "api/discover", { body: { address: controls.issuer.control.value } });
      state = withDiscovery(state, discovered);
      await askRedirectUri();
      render();
    } catch (error) {
      controls.issuer.showError(/** @type {Error} */ (error).message);
    }
  }

  // Each error stands beside its field, which gets the focus if it is the first; below the form, one sentence sums up.
  function showErrors(/** @type {Record<string, string>} */ errors) {
    /** @type {Record<string, any>} */
    const all = { ...controls, name, approval };
    const rest = [];
    /** @type {import("./dom.js").Labelled | null} */
    let first = null;
    let count = 0;
    for (const [key, text] of Object.entries(errors)) {
      const row = all[key] ?? all[`parameter:${key}`];
      if (!row) {
        rest.push(text);
        continue;
      }
      row.showError(text);
      count += 1;
      first ??= row;
    }
    live.show([...rest, mistakesSummary(count)].filter(Boolean).join(" "), { isError: true });
    const folded = /** @type {any} */ (first)?.row.closest("details");
    if (folded) folded.open = true;
    /** @type {any} */ (first)?.control.focus();
  }

  async function submit(/** @type {boolean} */ isRequesting) {
    clearTimeout(pause);
    showNothing();
    state.name = state.name.trim();
    const problems = allProblems(state);
    if (approval && !approval.control.checked) problems.approval = "Look at the hosts first, and tick this.";
    if (Object.keys(problems).length) {
      showErrors(problems);
      return;
    }
    const request = isRequesting ? requestOf(state) : "none";
    const tab = request === "browser" ? tabForLater() : null; // before any waiting: the click's permission does not last
    save.disabled = saveOnly.disabled = true;
    try {
      if (state.isNew && Object.keys(state.parameters).length) await fillIn();
      await call("PUT", secretPath(state.name), { body: requestBody(state), onlyNew: state.isNew });
      state.secrets = {}; // the values leave the page with the form
      body.replaceChildren();
      tab?.location.replace(flowletUrl(`authorize/${encodeURIComponent(state.name)}`));
      done(state.name, request === "browser" && !tab ? "blocked" : request);
    } catch (error) {
      tab?.close();
      const { errors, message: text } = /** @type {any} */ (error);
      showErrors(Object.keys(errors ?? {}).length ? errors : { "": text });
    } finally {
      save.disabled = saveOnly.disabled = false;
    }
  }

  body.addEventListener("input", onInput);
  body.addEventListener("change", onChange);
  body.addEventListener("paste", onPaste);
  render();
  if (state.isNew && providers.some((/** @type {any} */ entry) => entry.key === prefill.provider)) {
    const own = Object.fromEntries(Object.entries(state.values).filter(([key, value]) => key !== "provider" && [value].flat().join("")));
    await choose({ kind: providers.find((/** @type {any} */ entry) => entry.key === prefill.provider).type ?? "oauth2", provider: prefill.provider }, prefill.parameters);
    state.values = { ...state.values, ...own };
    render();
  }

  const form = element(
    "form",
    { class: "flowlet-form", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); submit(true); }, autocomplete: "off", novalidate: "", "aria-label": title },
    element("h2", {}, title),
    body,
    actions,
  );
  // JupyterLab's page swallows the browser's own submission by Enter
  form.addEventListener("keydown", (/** @type {any} */ event) => {
    if (undoPaste && event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      undoPaste();
      return;
    }
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing || state.isChoosing) return;
    event.preventDefault();
    form.requestSubmit(save);
  });
  return form;
}
