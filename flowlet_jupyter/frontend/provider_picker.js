// @ts-check
// The search field for a provider: a combobox with its listbox open beneath it (ARIA authoring practices, combobox).

import { element, freshId } from "./dom.js";
import { choicesFor } from "./provider_search.js";

/**
 * @param {import("./form_state.js").Known & {used: string[]}} known
 * @param {(choice: import("./provider_search.js").Choice) => void} choose
 */
export function providerPicker({ providers, schema, used }, choose) {
  const list = element("ul", { role: "listbox", id: freshId("listbox"), class: "flowlet-listbox", "aria-label": "Providers", tabindex: "-1" });
  const input = element("input", {
    type: "text", id: freshId("provider"), role: "combobox", class: "flowlet-search", placeholder: "Search: X, GitHub, Spotify …",
    autocomplete: "off", spellcheck: "false", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list",
  });
  const count = element("p", { class: "flowlet-unseen", role: "status" });
  /** @type {import("./provider_search.js").Choice[]} */
  let choices = [];
  let active = 0;

  function render() {
    choices = choicesFor(providers, schema, used, input.value);
    active = 0;
    list.replaceChildren(...choices.map((choice, index) => element(
      "li",
      // mousedown would take the focus from the field
      { role: "option", id: `${list.id}-${index}`, class: choice.provider ? "" : "flowlet-general", onmousedown: (/** @type {Event} */ event) => event.preventDefault(), onclick: () => choose(choice) },
      element("span", {}, choice.title), " ", element("span", { class: "flowlet-hint" }, choice.note),
    )));
    const found = choices.filter((choice) => choice.provider).length;
    count.textContent = input.value.trim() ? `${found} provider${found === 1 ? "" : "s"} found` : "";
    mark();
  }

  function mark() {
    for (const [index, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(index === active));
    input.setAttribute("aria-activedescendant", `${list.id}-${active}`);
    const option = /** @type {HTMLElement | undefined} */ (list.children[active]);
    // not scrollIntoView: it would move the notebook too
    if (option && option.offsetTop < list.scrollTop) list.scrollTop = option.offsetTop;
    else if (option && option.offsetTop + option.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = option.offsetTop + option.offsetHeight - list.clientHeight;
  }

  input.addEventListener("input", render);
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    /** @type {Record<string, () => void>} */
    const moves = {
      ArrowDown: () => { active = (active + 1) % choices.length; },
      ArrowUp: () => { active = (active + choices.length - 1) % choices.length; },
      PageDown: () => { active = Math.min(active + 8, choices.length - 1); },
      PageUp: () => { active = Math.max(active - 8, 0); },
      Enter: () => choose(choices[active]),
    };
    if (event.key === "Escape" && input.value) {
      input.value = "";
      render();
    } else if (moves[event.key]) moves[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (input.isConnected) mark();
  });
  render();
  return element(
    "div",
    { class: "flowlet-picker" },
    element("label", { for: input.id }, "Provider"),
    input,
    list,
    count,
  );
}
