// @ts-check
// The rows of the form as elements.

import { button, choice, copyButton, element, labelled, secretInput, textInput } from "./dom.js";

/**
 * One row of the form.
 * @param {import("./form_state.js").Row} row @param {{discover: () => void, stored: string}} context
 * @returns {import("./dom.js").Labelled}
 */
export function drawRow(row, { discover, stored }) {
  if (row.control === "warning") {
    return { row: element("p", { class: "flowlet-warning", role: "note" }, row.text), control: element("input"), showError() {} };
  }
  const { control, beside } = drawControl(row, { discover, stored });
  control.dataset.field = row.key;
  return labelled(row.label ?? row.key, control, { hint: row.hint, beside });
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
    const show = button("Show", () => {
      const isMasked = area.classList.toggle("flowlet-masked");
      show.textContent = isMasked ? "Show" : "Hide";
      show.setAttribute("aria-pressed", String(!isMasked));
    }, { "aria-pressed": "false", "aria-label": "Show or hide the values" });
    return { control: area, beside: show };
  }
  if (row.isReadOnly) {
    const control = textInput(row.value, { readonly: "", class: "flowlet-redirect-uri" });
    return { control, beside: copyButton(() => control.value) };
  }
  const control = textInput(row.value, row.isUrl ? { inputmode: "url" } : {});
  return { control, beside: row.action === "discover" ? button("Discover", discover) : undefined };
}

/**
 * A tab that is opened by the user's click and goes to `url` once the secret is saved. A tab opened later would be
 * stopped by popup blockers. Null if even this one was.
 */
export function tabForLater() {
  const tab = window.open("about:blank", "_blank");
  if (!tab) return null;
  tab.opener = null; // the provider's page must not be able to move the notebook to another address
  tab.document.title = "Saving …";
  tab.document.body.textContent = "Saving the secret; the provider's page comes next.";
  return tab;
}
