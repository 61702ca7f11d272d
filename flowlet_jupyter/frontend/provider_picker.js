// @ts-check
// The search field for a provider: a combobox with its listbox open beneath it (ARIA authoring practices, combobox).

import { element, freshId } from "./dom.js";
import { choicesFor } from "./provider_search.js";

/**
 * @param {import("./form_state.js").Known & {used: string[]}} known
 * @param {(choice: import("./provider_search.js").Choice) => void} choose
 */
export function providerPicker({ providers, schema, used }, choose) {
  const listed = element("ul", { role: "group", "aria-label": "Catalogue" });
  const general = element("ul", { role: "group", "aria-label": "Anything else", class: "flowlet-general" });
  const list = element("div", { role: "listbox", id: freshId("listbox"), class: "flowlet-listbox", "aria-label": "Providers", tabindex: "-1" }, listed, general);
  const hint = element("p", { class: "flowlet-hint", id: freshId("hint") },
    "Or paste what you have: a client_secret.json, a Postman environment, lines of an .env file, a curl command, an address.");
  const input = element("input", {
    type: "text", id: freshId("provider"), role: "combobox", class: "flowlet-search", placeholder: "X, GitHub, Spotify …",
    autocomplete: "off", spellcheck: "false", "aria-describedby": hint.id, "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list",
  });
  const count = element("p", { class: "flowlet-unseen", role: "status" });
  const chosen = (/** @type {import("./provider_search.js").Choice} */ choice) => {
    const address = input.value.trim();
    choose(/^https?:\/\/\S+$/.test(address) ? { ...choice, address } : choice);
  };
  /** @type {import("./provider_search.js").Choice[]} */
  let choices = [];
  let active = 0;
  /** @type {HTMLElement[]} */
  let options = [];

  function render() {
    choices = choicesFor(providers, schema, used, input.value);
    active = 0;
    options = choices.map((choice, index) => element(
      "li",
      // mousedown would take the focus from the field
      { role: "option", id: `${list.id}-${index}`, title: choice.provider ? undefined : choice.note, onmousedown: (/** @type {Event} */ event) => event.preventDefault(), onclick: () => chosen(choice) },
      element("span", {}, choice.title), choice.provider ? " " : null, choice.provider ? element("span", { class: "flowlet-hint" }, choice.note) : null,
    ));
    const found = choices.filter((choice) => choice.provider).length;
    listed.replaceChildren(...options.slice(0, found));
    general.replaceChildren(...options.slice(found));
    listed.hidden = !found;
    count.textContent = input.value.trim() ? `${found} provider${found === 1 ? "" : "s"} found` : "";
    mark();
  }

  function mark() {
    for (const [index, option] of options.entries()) option.setAttribute("aria-selected", String(index === active));
    input.setAttribute("aria-activedescendant", `${list.id}-${active}`);
    const option = options[active];
    // not scrollIntoView: it would move the notebook too
    if (!option || !listed.contains(option)) return;
    const height = list.clientHeight - general.offsetHeight; // the general choices stay at the bottom
    if (option.offsetTop < list.scrollTop) list.scrollTop = option.offsetTop;
    else if (option.offsetTop + option.offsetHeight > list.scrollTop + height) list.scrollTop = option.offsetTop + option.offsetHeight - height;
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
      Enter: () => chosen(choices[active]),
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
    hint,
    list,
    count,
  );
}
