// @ts-check
// Copying: a bar that says where the chosen value is, with a button for each form of it.

import { button, element } from "./dom.js";

/**
 * Put a text that may still be on its way into the clipboard. False where the page may not: the text is then shown to be copied.
 * @param {Promise<string>} text @param {HTMLElement} beside
 */
async function toClipboard(text, beside) {
  try {
    // a browser wants to hear of it within the click, although the text comes from the kernel later
    if (window.ClipboardItem) await navigator.clipboard.write([new ClipboardItem({ "text/plain": text.then((plain) => new Blob([plain], { type: "text/plain" })) })]);
    else await navigator.clipboard.writeText(await text);
    return true;
  } catch {
    const plain = await text; // an error of the kernel's is said by the caller
    try {
      await navigator.clipboard.writeText(plain);
      return true;
    } catch {
      const area = element("textarea", { readonly: "", rows: "4", "aria-label": "Text to copy", class: "fr-area" });
      area.value = plain;
      beside.querySelector(".fr-area")?.remove();
      beside.append(area);
      area.focus();
      area.select();
      return false;
    }
  }
}

/**
 * Buttons that copy, and a line that says what happened. `copies` are labels and what each gives.
 * @param {Record<string, () => Promise<string>>} copies
 */
export function copyButtons(copies) {
  const status = element("span", { role: "status", class: "fr-status" });
  const row = element("div", { class: "fr-actions" });
  for (const [label, read] of Object.entries(copies)) {
    row.append(button(label, async () => {
      status.textContent = "";
      try {
        const done = await toClipboard(read(), row);
        status.textContent = done ? "Copied" : "Press Ctrl+C";
      } catch (error) {
        status.textContent = /** @type {Error} */ (error).message;
      }
    }));
  }
  row.append(status);
  return row;
}

/**
 * Where the chosen value is, and its copies; `show` fills it, nothing is shown before.
 * @returns {{bar: HTMLElement, show: (where: {python: string, path: string}, copies: Record<string, () => Promise<string>>) => void}}
 */
export function chosenBar() {
  const python = element("code", { dir: "ltr" });
  const actions = element("div");
  const bar = element("div", { class: "fr-chosen", hidden: true, role: "group", "aria-label": "Chosen value" }, python, actions);
  return {
    bar,
    show(where, copies) {
      bar.hidden = false;
      python.textContent = where.python;
      /** @type {Record<string, () => Promise<string>>} */
      const all = { "Copy Python": async () => where.python };
      if (where.path) all["Copy path"] = async () => where.path;
      actions.replaceChildren(copyButtons({ ...all, ...copies }));
    },
  };
}
