// @ts-check
// One response's live view: its saved parts as tabs (WAI-ARIA's pattern); each is read from the kernel when it is first opened.

import { button, element, freshId } from "./dom.js";
import { copyButtons } from "./response_copy.js";
import { patiently } from "./response_patience.js";
import { movedInTabs } from "./response_rows.js";
import { tableView } from "./response_table.js";
import { treeView } from "./response_tree.js";

const ORDER = ["preview", "tree", "table", "chart", "raw", "pages", "requests", "headers", "request"];

/** @typedef {import("./response_patience.js").Ask} Ask */

/** @param {HTMLElement} root the saved view @param {Ask} askKernel */
export function liveView(root, askKernel) {
  root.classList.add("fr-live");
  root.removeAttribute("dir"); // the page's direction holds for what is drawn now
  root.setAttribute("data-lm-suppress-shortcuts", "true"); // Lumino would take arrows and Enter for the notebook's own
  const waits = element("p", { class: "fr-status", role: "status" });
  const ask = patiently(askKernel, (text) => { waits.textContent = text; });
  const list = element("div", { role: "tablist", "aria-label": "Response", class: "fr-tabs", onkeydown: onKey });
  /** @type {Map<string, {tab: HTMLElement, panel: HTMLElement, isFilled: boolean}>} */
  const parts = new Map();
  /** @type {Record<string, (panel: HTMLElement) => Promise<Node | null>>} */
  const fillers = {
    tree: () => treeView(ask), table: () => tableView(ask), pages: () => logView(ask, "Pages"), requests: () => logView(ask, "Requests"),
    raw: () => rawView(ask), preview: (panel) => previewView(ask, panel), chart: () => chartView(ask, root),
  };

  /** @param {string} name @param {Node[]} content */
  function add(name, content) {
    const id = freshId("tab");
    const panel = element("div", { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id, tabindex: "0", hidden: true }, ...content);
    const tab = button(name[0].toUpperCase() + name.slice(1), () => open(name), { role: "tab", id, "aria-controls": panel.id, "aria-selected": "false", tabindex: "-1" });
    parts.set(name, { tab, panel, isFilled: !fillers[name] });
    const later = ORDER.slice(ORDER.indexOf(name) + 1).map((other) => parts.get(other)).find(Boolean);
    list.insertBefore(tab, later?.tab ?? null);
    root.insertBefore(panel, later?.panel ?? null);
  }

  /** @param {string} name @param {{focus?: boolean}} options */
  function open(name, { focus } = {}) {
    for (const [other, { tab, panel }] of parts) {
      const isOpen = other === name;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.setAttribute("tabindex", isOpen ? "0" : "-1");
      panel.hidden = !isOpen;
    }
    const part = parts.get(name);
    if (!part) return;
    if (focus) part.tab.focus();
    if (part.isFilled) return;
    part.isFilled = true;
    fillers[name](part.panel).then(
      (content) => {
        if (content) part.panel.replaceChildren(content);
      },
      (error) => {
        part.isFilled = false; // opened again, it is tried again
        part.panel.querySelector(":scope > .fr-problem")?.remove();
        part.panel.prepend(element("p", { class: "fr-problem", role: "alert" }, error.message));
      },
    );
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const names = [...list.children].map((tab) => [...parts].find(([, part]) => part.tab === tab)?.[0] ?? "");
    const index = [...list.children].indexOf(/** @type {Element} */ (event.target));
    const next = index < 0 ? null : movedInTabs(index, event.key, names.length, getComputedStyle(list).direction === "rtl");
    if (next === null || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    open(names[next], { focus: true });
  }

  const saved = [...root.querySelectorAll(":scope > details.part")];
  saved[0]?.before(list, waits);
  let shown = "";
  for (const part of saved) {
    const name = /** @type {HTMLElement} */ (part).dataset.part ?? "";
    if (/** @type {HTMLDetailsElement} */ (part).open) shown = name;
    part.querySelector(":scope > summary")?.remove();
    add(name, [...part.childNodes]);
    part.remove();
  }
  open(shown || [...parts.keys()][0]);
  for (const code of root.querySelectorAll(".problem code")) code.after(" ", copyButtons({ Copy: async () => code.textContent ?? "" }));
  ask({ kind: "about" }).then(({ has_table, has_chart }) => {
    if (has_table && !parts.has("table")) add("table", []);
    if (has_chart) add("chart", []);
  }, () => {}); // what was saved stays
}

/** What was asked for, a line each. @param {Ask} ask @param {string} label */
const logView = (ask, label) => tableView((question) => ask({ ...question, of: "log" }), label);

/** @param {Ask} ask */
async function rawView(ask) {
  let { text, length } = await ask({ kind: "raw", start: 0 });
  const shown = element("pre", { tabindex: "0", role: "region", "aria-label": "Text of the body" }, text);
  const rest = () => `Show more (${(length - text.length).toLocaleString("en")} characters)`;
  const status = element("span", { role: "status", class: "fr-status" });
  const more = button(rest(), async () => {
    try {
      const next = await ask({ kind: "raw", start: text.length });
      text += next.text;
      shown.append(next.text);
    } catch (error) {
      status.textContent = /** @type {Error} */ (error).message;
    }
    more.textContent = rest();
    more.hidden = text.length >= length;
  }, { hidden: text.length >= length });
  return element("div", {}, shown, element("div", { class: "fr-actions" }, more, status), copyButtons({ "Copy text": async () => (await ask({ kind: "raw", start: 0, all: true })).text }));
}

/** @param {Ask} ask @param {HTMLElement} panel */
async function previewView(ask, panel) {
  if (panel.querySelector("img, audio")) return null; // saved whole
  const { media } = await ask({ kind: "about" });
  if (!media) return null;
  const { media_type, buffers } = await ask({ kind: "media" });
  // an address of this page's memory; the media type is one of the kernel's few, never the API's word alone
  const address = URL.createObjectURL(new Blob([buffers[0]], { type: media_type }));
  const label = panel.querySelector("p")?.textContent?.split(":")[0] ?? media_type;
  const shown = media === "image" ? element("img", { src: address, alt: label })
    : media === "audio" ? element("audio", { src: address, controls: "", "aria-label": label })
      : pdfView(address, label);
  return element("div", {}, shown, ...panel.querySelectorAll("p"));
}

/**
 * A PDF may hold scripts, which the browser's own viewer runs, apart from this page: only when somebody asks to see it.
 * @param {string} address @param {string} label
 */
function pdfView(address, label) {
  const box = element("div", { class: "fr-actions" });
  box.append(
    button("Show the PDF", () => box.replaceWith(element("object", { data: `${address}#page=1&view=FitH&navpanes=0`, type: "application/pdf", "aria-label": label, class: "fr-pdf" }, "This browser shows no PDF here; download it."))),
    element("a", { href: address, download: "response.pdf" }, "Download it"),
  );
  return box;
}

/** @param {Ask} ask @param {HTMLElement} root */
async function chartView(ask, root) {
  const { svg, summary, notes, python } = await ask({ kind: "chart", is_dark: isDark(root) });
  // as a picture: nothing in it can run
  return element("div", {}, element("img", { alt: summary, class: "fr-chart", src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` }),
    ...notes.map((/** @type {string} */ note) => element("p", { class: "fr-status" }, note)),
    element("div", { class: "fr-chosen" }, element("code", { dir: "ltr" }, python), copyButtons({ "Copy Python": async () => python })));
}

/** @param {HTMLElement} root */
function isDark(root) {
  const channels = getComputedStyle(root).color.match(/[\d.]+/g)?.slice(0, 3).map(Number) ?? [0, 0, 0];
  const scale = Math.max(...channels) > 1 ? 255 : 1; // color() has them from 0 to 1
  return channels.reduce((sum, channel) => sum + channel / scale, 0) / 3 > 0.5; // light text stands on dark ground
}
