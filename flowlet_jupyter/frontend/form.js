// @ts-check
// The form of a secret, new or edited. It posts to the server extension; nothing of it is a synced trait.

import { button, choice, copyButton, element, labelled, secretInput, textInput } from "./dom.js";
import { canFillIn, filledIn, initialState, requestBody, rowsOf, withDiscovery, withProvider } from "./form_state.js";
import { approvalText } from "./required.js";
import { call, secretPath } from "./server.js";

// A change of one of these changes which rows there are.
const REDRAWN_BY = new Set(["grant_type", "token_endpoint_auth_method", "registering"]);

/**
 * The form. `secret` is null for a new one, which `prefill` may fill in. Calls done(name) after saving, or done(null)
 * when it is cancelled.
 * @param {any} secret @param {any} prefill @param {(name: string | null) => void} done
 */
export async function secretForm(secret, prefill, done) {
  const [{ redirect_uri: redirectUri, problem: redirectProblem }, providers, schema] = await Promise.all([
    call("GET", "api/redirect-uri"), call("GET", "api/providers"), call("GET", "api/schema"),
  ]);
  let state = initialState(secret, prefill, { schema, providers, redirectUri, redirectProblem });
  /** @type {Record<string, any>} */
  let controls = {};

  const title = state.isNew ? "Add secret" : `Edit secret ${state.name}`;
  const name = labelled("Name", textInput(state.name, state.isNew ? { required: "" } : { readonly: "" }), { hint: "How requests will name it, such as twitter" });
  const kinds = Object.fromEntries(Object.entries(schema).map(([kind, { label }]) => [kind, label]));
  const type = labelled("Type", choice(kinds, state.kind));
  type.control.disabled = !state.isNew;
  const approval = state.approval && labelled("Approve the hosts", element("input", { type: "checkbox" }), { hint: approvalText(state.approval) });
  const message = element("div", { class: "flowlet-error", role: "alert" });
  const body = element("div");
  const save = element("button", { type: "submit", class: "flowlet-primary" }, "Save");

  function render() {
    const focused = body.contains(document.activeElement) ? document.activeElement?.getAttribute("data-field") : null;
    const rows = rowsOf(state);
    controls = Object.fromEntries(rows.map((row) => [row.key, drawRow(row, { discover, stored: state.isNew ? "" : "leave empty to keep the stored one" })]));
    const folded = rows.filter((row) => row.isFolded);
    body.replaceChildren(...rows.filter((row) => !row.isFolded).map((row) => controls[row.key].row));
    if (folded.length) {
      const details = element("details", { class: "flowlet-rare" }, element("summary", {}, "Rarely needed"), ...folded.map((row) => controls[row.key].row));
      details.open = folded.some((row) => row.value);
      body.append(details);
    }
    if (name.control.value !== state.name) name.control.value = state.name;
    if (focused) controls[focused]?.control.focus();
  }

  // What the user typed or chose goes into the state at once; it is drawn again only where the rows change.
  function onInput(/** @type {any} */ event) {
    const key = event.target.dataset?.field;
    if (!controls[key]) return;
    controls[key].showError(""); // the error is about what stood there before
    const value = event.target.type === "checkbox" ? event.target.checked : event.target.value;
    if (key === "registering") state.isRegistering = value;
    else if (key.startsWith("parameter:")) state.parameters[key.slice("parameter:".length)] = value.trim();
    else if (isValue(key)) state.secrets[key] = value;
    else if (key !== "provider") state.values[key] = value;
  }

  function isValue(/** @type {string} */ key) {
    return state.schema[state.kind].fields.some((/** @type {any} */ field) => field.name === key && field.is_value);
  }

  async function onChange(/** @type {any} */ event) {
    onInput(event);
    const key = event.target.dataset?.field;
    if (key === "provider") await chooseProvider(event.target.value);
    else if (REDRAWN_BY.has(key)) render();
  }

  async function chooseProvider(/** @type {string} */ key, /** @type {any} */ parameters = {}) {
    message.textContent = "";
    state = withProvider(state, key, parameters);
    type.control.value = state.kind;
    await fillIn();
    render();
  }

  async function fillIn() {
    if (!canFillIn(state)) return;
    const fields = await call("POST", `api/providers/${encodeURIComponent(state.values.provider)}`, { body: state.parameters });
    state = filledIn(state, fields);
  }

  async function discover() {
    try {
      state = withDiscovery(state, await call("POST", "api/discover", { body: { address: controls.issuer.control.value } }));
      render();
    } catch (error) {
      controls.issuer.showError(/** @type {Error} */ (error).message);
    }
  }

  // Each error stands beside its field; what has no row stands below the form.
  function showErrors(/** @type {any} */ error) {
    /** @type {Record<string, any>} */
    const all = { name, type, ...controls };
    const errors = Object.keys(error.errors ?? {}).length ? error.errors : { "": error.message };
    const rest = [];
    let first = null;
    for (const [key, text] of Object.entries(errors)) {
      const row = all[key] ?? all[`parameter:${key}`];
      if (!row) rest.push(text);
      row?.showError(text);
      first ??= row;
    }
    message.textContent = rest.join(" ");
    first?.control.focus();
  }

  async function submit(/** @type {any} */ event) {
    event.preventDefault();
    for (const row of [name, type, ...Object.values(controls), ...(approval ? [approval] : [])]) row.showError("");
    message.textContent = "";
    state.name = state.name.trim();
    if (!state.name) {
      showErrors({ errors: { name: "A secret needs a name." } });
      return;
    }
    if (approval && !approval.control.checked) {
      approval.showError("Look at the hosts first, and tick this.");
      approval.control.focus();
      return;
    }
    save.disabled = true;
    try {
      if (state.isNew && Object.keys(state.parameters).length) {
        if (!canFillIn(state)) {
          const missing = Object.keys(state.parameters).filter((parameter) => !state.parameters[parameter]);
          throw Object.assign(new Error(), { errors: Object.fromEntries(missing.map((parameter) => [parameter, "This is missing."])) });
        }
        await fillIn();
      }
      await call("PUT", secretPath(state.name), { body: requestBody(state), onlyNew: state.isNew });
      state.secrets = {}; // the values leave the page with the form
      body.replaceChildren();
      done(state.name);
    } catch (error) {
      showErrors(error);
    } finally {
      save.disabled = false;
    }
  }

  name.control.addEventListener("input", () => {
    state.name = name.control.value;
    name.showError("");
  });
  body.addEventListener("input", onInput);
  body.addEventListener("change", onChange);
  type.control.addEventListener("change", () => {
    if (state.values.provider) state = withProvider(state, ""); // what its entry filled in is of the other kind
    state.kind = type.control.value;
    render();
  });
  render();
  if (state.isNew && providers.some((/** @type {any} */ entry) => entry.key === prefill.provider)) {
    const own = Object.fromEntries(Object.entries(state.values).filter(([key, value]) => key !== "provider" && [].concat(value).join("")));
    await chooseProvider(prefill.provider, prefill.parameters);
    state.values = { ...state.values, ...own };
    render();
  }

  const form = element(
    "form",
    { class: "flowlet-form", onsubmit: submit, autocomplete: "off", "aria-label": title },
    element("h3", {}, title),
    name.row,
    type.row,
    approval?.row,
    body,
    message,
    element("div", { class: "flowlet-actions" }, save, button("Cancel", () => done(null))),
  );
  // JupyterLab's page swallows the browser's own submission by Enter
  form.addEventListener("keydown", (/** @type {any} */ event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(save);
  });
  return form;
}

/**
 * One row of the form.
 * @param {import("./form_state.js").Row} row @param {{discover: () => void, stored: string}} context
 */
function drawRow(row, { discover, stored }) {
  if (row.control === "warning") {
    return { row: element("p", { class: "flowlet-warning", role: "alert" }, row.text), control: element("input"), showError() {} };
  }
  const { control, beside } = drawControl(row, { discover, stored });
  control.dataset.field = row.key;
  return labelled(row.label, control, { hint: row.hint, beside });
}

/**
 * @param {import("./form_state.js").Row} row @param {{discover: () => void, stored: string}} context
 * @returns {{control: any, beside?: any}}
 */
function drawControl(row, { discover, stored }) {
  if (row.control === "choice") return { control: choice(row.options ?? {}, row.value) };
  if (row.control === "checkbox") return { control: element("input", { type: "checkbox", checked: row.value }) };
  if (row.control === "secret") {
    const made = secretInput(stored);
    made.control.value = row.value ?? "";
    return made;
  }
  if (row.control === "area" || row.control === "headers") {
    const area = element("textarea", { rows: "3", spellcheck: "false", autocomplete: "off", class: "flowlet-masked" });
    area.value = row.value ?? "";
    return { control: area, beside: button("Show", () => area.classList.toggle("flowlet-masked"), { "aria-label": "Show or hide the values" }) };
  }
  if (row.isReadOnly) {
    const control = textInput(row.value, { readonly: "", class: "flowlet-redirect-uri" });
    return { control, beside: copyButton(() => control.value) };
  }
  const control = textInput(row.value, row.isUrl ? { inputmode: "url" } : {});
  return { control, beside: row.action === "discover" ? button("Discover", discover) : undefined };
}
