// @ts-check
// The JSON as a tree (WAI-ARIA's pattern), read from the kernel as it is opened; a search over all of it.

import { button, element } from "./dom.js";
import { chosenBar } from "./response_copy.js";
import { nodeText } from "./response_rows.js";

const COUNT = 100; // children that are asked for at once

/** @typedef {(question: Record<string, any>) => Promise<any>} Ask */
/** @typedef {{path: (string | number)[], node: any, more?: number}} Item */

/** @param {Ask} ask */
export async function treeView(ask) {
  const whole = await ask({ kind: "node", path: [], start: 0, count: COUNT, levels: 3 });
  const chosen = chosenBar();
  /** @type {WeakMap<Element, Item>} */
  const items = new WeakMap();
  const root = element("ul", { role: "tree", "aria-label": "JSON of the body", class: "fr-tree", onkeydown: onKey, onclick: onClick });

  /** @param {string | number | null} key @param {any} node @param {(string | number)[]} path @param {number} level */
  function itemOf(key, node, path, level) {
    const line = element("div", { class: "fr-line" },
      key === null ? null : element("b", {}, element("bdi", {}, String(key))), key === null ? null : " ",
      element("span", { class: `fr-${node.type}` }, element("bdi", {}, nodeText(node))));
    const item = element("li", { role: "treeitem", tabindex: "-1", "aria-level": String(level), "aria-selected": "false" }, line);
    items.set(item, { path, node });
    if (node.size) {
      item.setAttribute("aria-expanded", "false");
      if (node.items) expand(item, node.items);
    }
    return item;
  }

  /** @param {Element} item @param {any[]} children */
  function expand(item, children) {
    const { path, node } = /** @type {Item} */ (items.get(item));
    const level = Number(item.getAttribute("aria-level")) + 1;
    let group = item.querySelector(":scope > ul");
    if (!group) {
      group = element("ul", { role: "group" });
      item.append(group);
    }
    group.querySelector(":scope > .fr-more")?.remove();
    group.append(...children.map(([key, below]) => itemOf(key, below, [...path, key], level)));
    const shown = group.children.length;
    if (shown < node.size) {
      const more = element("li", { role: "treeitem", tabindex: "-1", "aria-level": String(level), "aria-selected": "false", class: "fr-more" },
        element("div", { class: "fr-line" }, `… ${(node.size - shown).toLocaleString("en")} more`));
      items.set(more, { path, node, more: shown });
      group.append(more);
    }
    item.setAttribute("aria-expanded", "true");
  }

  /** @param {Element} item */
  async function open(item) {
    const known = items.get(item);
    if (!known) return;
    if (known.more !== undefined) {
      const parent = /** @type {Element} */ (item.parentElement?.closest("li"));
      const { items: children } = await ask({ kind: "node", path: known.path, start: known.more, count: COUNT, levels: 1 });
      const hadFocus = document.activeElement === item;
      const index = known.more;
      expand(parent, children);
      if (hadFocus) focusOn(parent.querySelector(":scope > ul")?.children[index]);
    } else if (item.querySelector(":scope > ul")) {
      item.setAttribute("aria-expanded", "true");
    } else if (known.node.size) {
      const { items: children } = await ask({ kind: "node", path: known.path, start: 0, count: COUNT, levels: 1 });
      expand(item, children);
    }
  }

  /** @param {Element} item */
  async function choose(item) {
    for (const other of root.querySelectorAll('[aria-selected="true"]')) other.setAttribute("aria-selected", "false");
    item.setAttribute("aria-selected", "true");
    await show(/** @type {Item} */ (items.get(item)).path);
  }

  /** @param {(string | number)[]} path */
  async function show(path) {
    const text = (/** @type {string} */ as) => async () => (await ask({ kind: "value", path, as })).text;
    chosen.show(await ask({ kind: "where", path }), { "Copy value": text("value"), "Copy JSON": text("json") });
  }

  /** @param {Element | null | undefined} item */
  function focusOn(item) {
    if (!item) return;
    for (const other of root.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
    /** @type {HTMLElement} */ (item).focus();
  }

  /** @param {Promise<any>} work what went wrong is said, and nothing is lost */
  function saying(work) {
    work.then(() => { problem.textContent = ""; }, (error) => { problem.textContent = error.message; });
  }

  /** @param {MouseEvent} event */
  function onClick(event) {
    const item = /** @type {Element} */ (event.target).closest("li");
    if (!item) return;
    focusOn(item);
    const isOpen = item.getAttribute("aria-expanded") === "true";
    const isArrow = event.offsetX < 0 || !/** @type {Element} */ (event.target).closest("b, bdi");
    if (items.get(item)?.more !== undefined) saying(open(item));
    else {
      // the key and the value choose, what is around them opens and closes
      if (item.hasAttribute("aria-expanded") && isArrow) isOpen ? item.setAttribute("aria-expanded", "false") : saying(open(item));
      else saying(choose(item));
    }
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const item = /** @type {Element} */ (event.target).closest("li");
    if (!item || event.altKey || event.metaKey || event.ctrlKey) return;
    const visible = [...root.querySelectorAll("li")].filter((other) => !other.parentElement?.closest('li[aria-expanded="false"]'));
    const index = visible.indexOf(/** @type {HTMLLIElement} */ (item));
    const isOpen = item.getAttribute("aria-expanded");
    const isRightToLeft = getComputedStyle(root).direction === "rtl";
    const key = isRightToLeft ? { ArrowLeft: "ArrowRight", ArrowRight: "ArrowLeft" }[event.key] ?? event.key : event.key;
    if (key === "ArrowDown") focusOn(visible[index + 1]);
    else if (key === "ArrowUp") focusOn(visible[index - 1]);
    else if (key === "Home") focusOn(visible[0]);
    else if (key === "End") focusOn(visible.at(-1));
    else if (key === "ArrowRight") isOpen === "true" ? focusOn(item.querySelector("li")) : saying(open(item));
    else if (key === "ArrowLeft") isOpen === "true" ? item.setAttribute("aria-expanded", "false") : focusOn(item.parentElement?.closest("li"));
    else if (key === "Enter" || key === " ") saying(items.get(item)?.more === undefined ? choose(item) : open(item));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const top = itemOf(null, whole, [], 1);
  top.setAttribute("tabindex", "0");
  root.append(top);
  const problem = element("p", { class: "fr-problem", role: "alert" });
  const found = element("ul", { class: "fr-found", "aria-label": "What the search found" });
  const count = element("span", { role: "status", class: "fr-status" });
  let searches = 0;
  const search = element("input", { type: "search", class: "fr-search", placeholder: "Search keys and values", "aria-label": "Search this JSON", oninput: onSearch });

  async function onSearch() {
    searches += 1;
    const mine = searches;
    const text = search.value.trim();
    await new Promise((resolve) => { setTimeout(resolve, text ? 200 : 0); }); // while one is still typing
    if (mine !== searches) return;
    found.replaceChildren();
    count.textContent = "";
    root.hidden = Boolean(text);
    if (!text) return;
    try {
      const { matches, is_all } = await ask({ kind: "search", text });
      if (mine !== searches) return;
      count.textContent = `${matches.length}${is_all ? "" : " or more"} found`;
      found.append(...matches.map((/** @type {any} */ match) => element("li", {},
        button("", () => saying(show(match.path)), { class: "fr-match" }))));
      for (const [index, match] of matches.entries()) {
        const label = /** @type {Element} */ (found.children[index].firstElementChild);
        label.append(element("b", {}, pathText(match.path)), " ", element("bdi", {}, nodeText(match)));
      }
    } catch (error) {
      count.textContent = /** @type {Error} */ (error).message;
    }
  }

  return element("div", {}, element("div", { class: "fr-tools" }, search, count), found, root, problem, chosen.bar);
}

/** @param {(string | number)[]} path for reading only; what is copied comes from the kernel */
function pathText(path) {
  return path.map((key, index) => (typeof key === "number" ? `[${key}]` : `${index ? "." : ""}${key}`)).join("");
}
