// @ts-check
// Manage tokens: what is known of them, and the link that requests an access token.

import { deviceView } from "./device.js";
import { button, element, labelled, textInput } from "./dom.js";
import { GRANT_CODE, GRANT_DEVICE } from "./form_state.js";
import { call, secretPath } from "./server.js";
import { connectLink, statusMark, ticking } from "./status.js";
import { factsOf, statusWords, timelineOf } from "./timeline.js";

/** @typedef {import("./server.js").Secret} Secret */
/** @typedef {import("./server.js").View} View */

/**
 * `view` redraws and polls; see app.js. `back` returns to the table, or is null where there is none.
 * @param {Secret} secret @param {View} view @param {(() => void) | null} back
 */
export function manageView(secret, view, back) {
  const message = element("div", { class: "flowlet-error", role: "alert" });
  const result = element("p", { class: "flowlet-result", role: "status" });
  const box = element("div"); // the device flow's code, or the question for another account
  const context = { secret, view, message, result, box, back };
  const [first, ...others] = requestActions(context);
  const more = [...others, ...upkeepActions(context)];
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Manage tokens of ${secret.name}` },
    element("div", { class: "flowlet-head" }, element("h2", {}, `Manage tokens: ${secret.name}`), back ? button("All secrets", back) : null),
    element("p", { class: "flowlet-status", role: "status" }, statusMark(secret.status), statusWords(secret.status)),
    secret.ending ? element("p", { class: "flowlet-waiting" }, secret.ending) : null,
    waitingHint(secret, view),
    timeline(secret),
    facts(secret),
    box,
    message,
    result,
    element("div", { class: "flowlet-actions" }, first, ...more, removeAction(context)),
  );
}

/**
 * @typedef {{secret: Secret, view: View, message: HTMLElement, result: HTMLElement, box: HTMLElement,
 *   back: (() => void) | null}} Context
 */

/** @param {Secret} secret @param {View} view */
function waitingHint(secret, view) {
  if (!view.isExpecting(secret.name)) return null;
  return element("p", { class: "flowlet-waiting", role: "status" },
    "Waiting for you to allow it in the other tab. Was that tab closed, or did none open? Press Request access token: it opens a new one, and the old one no longer counts.");
}

/** @param {Secret} secret */
function timeline(secret) {
  const events = timelineOf(secret);
  if (!events.length) return null;
  return element("ol", { class: "flowlet-timeline", "aria-label": "What is known of the access token" }, ...events.map(({ key, label, at, tick }) => element(
    "li",
    { class: `flowlet-event-${key}`, title: at ? new Date(at * 1000).toLocaleString() : undefined },
    element("span", { class: "flowlet-event" }, label), " ", ticking(tick),
  )));
}

/** @param {Secret} secret */
function facts(secret) {
  return element("dl", { class: "flowlet-details" }, ...factsOf(secret).flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]));
}

/** @param {Context} context @param {() => Promise<unknown>} action */
async function attempt({ secret, view, message }, action) {
  message.textContent = "";
  try {
    await action();
    view.changed(secret.name);
  } catch (error) {
    message.textContent = /** @type {Error} */ (error).message;
  }
}

/** The button that requests an access token, or tests what needs none; first. @param {Context} context */
function requestActions(context) {
  const { secret, view, message, result, box } = context;
  const { access_token: isObtained, refresh_token: isRefreshable, state } = secret.status;
  const path = (/** @type {string} */ suffix) => secretPath(secret.name, suffix);
  const isDone = isObtained && state !== "needs_authorization";
  const primary = isDone ? {} : { class: "flowlet-primary" };
  const label = isObtained ? "Request access token again" : "Request access token";
  const actions = [];
  if (secret.type !== "oauth2" || isDone) {
    actions.push(button("Test", async () => {
      message.textContent = result.textContent = "";
      try {
        const { method, host, status, reason, is_accepted: isAccepted } = await call("POST", path("/test"));
        result.textContent = `${method} ${host}: ${status} ${reason}${isAccepted ? "" : ". The API does not take this secret."}`;
      } catch (error) { message.textContent = /** @type {Error} */ (error).message; }
    }, secret.type === "oauth2" ? {} : { class: "flowlet-primary" }));
  }
  if (secret.type !== "oauth2") return actions;
  if (secret.grant_type === GRANT_DEVICE) {
    const request = async () => {
      // not by attempt(): the code must stay on the page until it was entered
      message.textContent = "";
      try {
        box.replaceChildren(deviceView(await call("POST", path("/device")), secret, view, box));
      } catch (error) { message.textContent = /** @type {Error} */ (error).message; }
    };
    actions.unshift(button(label, request, primary));
    if (view.startsAtOnce(secret.name)) request();
  } else if (secret.grant_type !== GRANT_CODE) {
    const request = () => attempt(context, () => call("POST", path("/refresh")));
    actions.unshift(button(label, request, primary));
    if (view.startsAtOnce(secret.name)) request();
  } else {
    actions.unshift(connectLink(secret.name, label, () => view.expectToken(secret), { isPrimary: !isDone }));
  }
  if (isRefreshable) actions.push(button("Refresh now", () => attempt(context, () => call("POST", path("/refresh")))));
  if (isObtained && secret.revocation_endpoint) actions.push(button("Revoke", () => attempt(context, () => call("POST", path("/revoke")))));
  if (isObtained && secret.introspection_endpoint) {
    actions.push(button("Ask the provider", async () => {
      message.textContent = result.textContent = "";
      try {
        const { active } = await call("POST", path("/introspect"));
        result.textContent = active ? `The provider says that the access token of ${secret.name} is good.` : `The provider no longer takes the access token of ${secret.name}.`;
      } catch (error) { message.textContent = /** @type {Error} */ (error).message; }
    }));
  }
  return actions;
}

/** @param {Context} context */
function upkeepActions({ secret, view, box }) {
  if (secret.client_of) return [button(`Edit ${secret.client_of}`, () => view.manage(secret.client_of))];
  const actions = [button("Edit", () => view.edit(secret))];
  if (secret.type !== "oauth2") return actions;
  actions.push(button("Add account", () => {
    const input = labelled("Account", textInput(), { hint: `Another account at the same client: its secret is named ${secret.name}/…` });
    const add = button("Add", async () => {
      try {
        const made = await call("POST", secretPath(secret.name, "/accounts"), { body: { account: input.control.value } });
        view.changed(made.name);
        view.manage(made.name);
      } catch (error) { input.showError(/** @type {Error} */ (error).message); }
    });
    box.replaceChildren(input.row, add);
    input.control.focus();
  }));
  return actions;
}

/** Delete asks once, where it stands. @param {Context} context */
function removeAction(context) {
  const { secret, view, back } = context;
  const ask = button("Delete", () => {
    const really = button(`Delete ${secret.name}`, () => attempt(context, async () => {
      const response = await call("DELETE", secretPath(secret.name));
      // at the provider the tokens may still be valid: that must not vanish with the view
      if (response?.notice) view.notify(response.notice);
      back?.();
    }), { class: "flowlet-danger" });
    const keep = button("Keep it", () => {
      box.replaceChildren(ask);
      ask.focus();
    });
    const isRevoked = secret.status.access_token && secret.revocation_endpoint;
    box.replaceChildren(element("span", {}, isRevoked ? "Its tokens are revoked too." : "It cannot be brought back."), really, keep);
    keep.focus();
  }, { "data-asks": "" });
  const box = element("span", { class: "flowlet-remove", role: "group", "aria-label": `Delete ${secret.name}` }, ask);
  return box;
}

/**
 * In the output of a cell that waits for a token: the link alone.
 * @param {Secret} secret @param {View} view
 */
export function connectView(secret, view) {
  const { status } = secret;
  if (status.state === "connected") {
    const events = timelineOf(secret).filter((event) => event.key === "ends");
    return element("p", {}, statusMark(status), element("span", { role: "status" }, `Secret ${secret.name} is connected`), ", access token ", ...events.map(({ tick }) => ticking(tick)), ".");
  }
  if (secret.grant_type !== GRANT_CODE) return manageView(secret, view, null);
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Connect ${secret.name}` },
    element("p", {}, statusMark(status), element("strong", {}, secret.name), `: ${statusWords(status)}.`),
    waitingHint(secret, view),
    element("div", { class: "flowlet-actions" }, connectLink(secret.name, "Request access token", () => view.expectToken(secret))),
  );
}
