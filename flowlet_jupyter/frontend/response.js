// @ts-check
// Makes the saved, script-free views of responses live: tabs, and whatever their kernel is asked for. One a kernel.
// Nothing is displayed for it: it looks for the views that its kernel names, and leaves all others as they are.

import { liveView } from "./response_view.js";

const GONE = "The kernel that held this response was restarted or is gone. Run the cell again.";

/** @param {{model: any}} context as anywidget gives it */
function initialize({ model }) {
  /** @type {Set<string>} */
  const known = new Set();
  const seen = new WeakSet();
  /** @type {Map<number, {resolve: (reply: any) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  let number = 0;
  let isDue = false;

  /** @param {string} view @param {Record<string, any>} question @returns {Promise<any>} */
  const ask = (view, question) => new Promise((resolve, reject) => {
    number += 1;
    waiting.set(number, { resolve, reject });
    try {
      model.send({ kind: "ask", view, number, question });
    } catch { // JupyterLab's "Cannot send": the kernel was restarted
      reject(new Error(GONE));
    }
  });

  function enliven() {
    isDue = false;
    for (const identity of known) {
      // a view that JupyterLab shows twice has its id twice
      for (const root of document.querySelectorAll(`[id="${CSS.escape(identity)}"]`)) {
        if (seen.has(root)) continue;
        seen.add(root);
        liveView(/** @type {HTMLElement} */ (root), (question) => ask(identity, question));
      }
    }
  }
  const observer = new MutationObserver(() => {
    if (isDue || !known.size) return;
    isDue = true;
    requestAnimationFrame(enliven); // before the next picture, so that nothing flashes
  });
  observer.observe(document.body, { childList: true, subtree: true });

  model.on("msg:custom", (/** @type {any} */ message, /** @type {DataView[]} */ buffers) => {
    if (message.kind === "views") {
      for (const identity of message.views) known.add(identity);
      enliven();
    } else if (message.kind === "reply") {
      const asked = waiting.get(message.number);
      waiting.delete(message.number);
      if (message.reply.error) asked?.reject(new Error(message.reply.error));
      else asked?.resolve({ ...message.reply, buffers });
    }
  });
  model.send({ kind: "hello" });
  return () => {
    observer.disconnect();
    for (const { reject } of waiting.values()) reject(new Error(GONE));
    waiting.clear();
  };
}

export default { initialize };
