// @ts-check
// The device flow: the code, the link and its QR code; the server waits until it was entered, this asks the server.

import { button, copyButton, element, outwardLink } from "./dom.js";
import { call, secretPath } from "./server.js";
import { spanOfTime } from "./time.js";

/**
 * @param {any} given the response of POST api/secrets/NAME/device @param {import("./server.js").Secret} secret
 * @param {import("./server.js").View} view @param {HTMLElement} box where it is shown
 */
export function deviceView(given, secret, view, box) {
  const waiting = element("p", { class: "flowlet-hint" });
  const path = secretPath(secret.name, "/device");
  const timer = setInterval(async () => {
    if (!box.isConnected) return clearInterval(timer);
    waiting.textContent = `Waiting for you to enter it, ${spanOfTime(given.expires_at - Date.now() / 1000)} left`;
    const state = await call("GET", path).catch(() => null);
    if (!state || state.pending) return undefined;
    clearInterval(timer);
    if (!state.problem) view.changed(secret.name);
    else {
      box.replaceChildren();
      view.live.show(state.problem, { isError: true });
    }
    return undefined;
  }, 1000);
  const link = given.verification_uri_complete ?? given.verification_uri;
  return element(
    "section",
    { class: "flowlet-device", "aria-label": "Enter this code" },
    element("p", {}, "Open ", outwardLink(link, given.verification_uri),
      " on any device and enter the code ", element("strong", { class: "flowlet-code" }, given.user_code), " ", copyButton(() => given.user_code)),
    element("img", { src: given.qr_code, alt: `QR code of ${given.verification_uri}` }),
    waiting,
    button("Cancel", async () => { clearInterval(timer); await call("DELETE", path); box.replaceChildren(); }),
  );
}
