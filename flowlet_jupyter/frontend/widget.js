// @ts-check
// The widget in a notebook. The kernel hears a greeting and the lack of a server; no value ever goes its way.

import { openApp } from "./app.js";
import { harmlessPrefill } from "./required.js";
import { call } from "./server.js";

/** @param {{model: any, el: HTMLElement}} context as anywidget gives it */
function render({ model, el }) {
  const start = { kind: model.get("view"), name: model.get("name"), prefill: harmlessPrefill(model.get("prefill") ?? {}) };
  model.on("msg:custom", (/** @type {any} */ message) => { if (message.kind === "vault" || message.kind === "page") app.onMessage(message); });
  const app = openApp(el, start, () => model.send({ kind: "no server" }));
  model.send({ kind: "hello" });
  // a busy kernel hears that late; it also looks for the greeting that the server leaves
  call("POST", `api/greetings/${model.get("greeting")}`).catch(() => {}); // where it fails, the app says why
  return () => app.close();
}

export default { render };
