// @ts-check
// What is read out by a screen reader without having the focus. It stands outside what is drawn again: a live region that
// is added together with its text is often not announced (ARIA 1.2, 6.7: the region is to be there before it changes).

import { element } from "./dom.js";

/** @typedef {{announce: (text: string) => void, show: (text: string, options?: {isError?: boolean, action?: Node | null}) => void, keep: (...content: (Node | string)[]) => void}} Live */

/**
 * The region: `announce` is for the ears only, `show` for all and until the next view, `keep` for all until the page goes.
 * @returns {Live & {node: HTMLElement}}
 */
export function liveRegion() {
  const heardOnly = element("p", { class: "flowlet-unseen" });
  const message = element("p", { class: "flowlet-message" });
  const note = element("p", { class: "flowlet-note" });
  // each part is announced when it changes, not all three
  const node = element("div", { class: "flowlet-live", role: "status", "aria-live": "polite", "aria-atomic": "false" }, message, note, heardOnly);
  return {
    node,
    announce(text) {
      // the same sentence twice would be no change
      heardOnly.textContent = heardOnly.textContent === text ? `${text}\u00a0` : text;
    },
    show(text, { isError = false, action = null } = {}) {
      if (action) message.replaceChildren(text, " ", action);
      else if (message.textContent !== text) message.textContent = text;
      message.classList.toggle("flowlet-error", isError);
    },
    keep(...content) {
      note.replaceChildren(...content);
    },
  };
}
