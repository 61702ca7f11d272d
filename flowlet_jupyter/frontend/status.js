// @ts-check
// The marks and links of a secret's status that several views show.

import { element } from "./dom.js";
import { flowletUrl } from "./server.js";
import { statusLevel } from "./timeline.js";

/** @param {import("./server.js").Status} status */
export function statusMark(status) {
  return element("span", { class: `flowlet-mark flowlet-mark-${statusLevel(status)}`, "aria-hidden": "true" });
}

/**
 * A text that the app's clock keeps up to date.
 * @param {(now: number) => string} tick
 */
export function ticking(tick) {
  const text = element("span", { class: "flowlet-ticking" });
  const update = () => {
    const now = tick(Date.now() / 1000);
    if (text.textContent !== now) text.textContent = now;
  };
  Object.assign(text, { update });
  update();
  return text;
}

/**
 * A plain link: no popup blocker stops it, and it works while the kernel is busy.
 * @param {string} name @param {string} label @param {() => void} clicked @param {{query?: string, isPrimary?: boolean}} more
 */
export function connectLink(name, label, clicked, { query = "", isPrimary = true } = {}) {
  return element(
    "a",
    {
      class: `flowlet-button${isPrimary ? " flowlet-primary" : ""}`,
      href: flowletUrl(`authorize/${encodeURIComponent(name)}${query}`),
      target: "_blank",
      rel: "noopener",
      onclick: clicked,
    },
    label,
  );
}
