// @ts-check
// What can be done with a secret and its tokens, in groups: the access token first, then the secret, deleting apart.

import { deviceView } from "./device.js";
import { button, element, labelled, textInput } from "./dom.js";
import { GRANT_CODE, GRANT_DEVICE } from "./form_state.js";
import { call, secretPath } from "./server.js";
import { connectLink } from "./status.js";
import { refusalOf } from "./timeline.js";

const LATE_MILLISECONDS = 500;
// The same request would be refused again: the secret has to be corrected first.
const TO_BE_CORRECTED = /invalid_client|invalid_scope|unauthorized_client/;

/**
 * @typedef {{secret: import("./server.js").Secret, view: import("./server.js").View, box: HTMLElement, back: (() => void) | null}} Context
 * `box` is where a code or a question stands; `back` leads to the table, if there is one.
 */

/** @param {Context} context */
export function manageActions(context) {
  const { secret } = context;
  const token = secret.type === "oauth2" ? tokenActions(context) : [testAction(context, true)];
  return element(
    "div",
    { class: "flowlet-actions" },
    element("div", { class: "flowlet-group", role: "group", "aria-label": secret.type === "oauth2" ? "Access token" : "Try it" }, ...token),
    element("div", { class: "flowlet-group", role: "group", "aria-label": "Secret" }, ...upkeepActions(context)),
    removeAction(context),
  );
}

/** @param {Context} context @param {() => Promise<void>} action */
async function attempt({ view }, action) {
  view.live.show("");
  const late = setTimeout(() => view.live.show("Waiting for the server …"), LATE_MILLISECONDS);
  try {
    await action();
  } catch (error) {
    clearTimeout(late);
    view.live.show(/** @type {Error} */ (error).message, { isError: true });
  } finally {
    clearTimeout(late);
  }
}

/** @param {Context} context @param {string} suffix */
function change({ secret, view }, suffix) {
  return async () => {
    await call("POST", secretPath(secret.name, suffix));
    view.changed(secret.name);
  };
}

/** @param {boolean} isPrimary */
const emphasis = (isPrimary) => (isPrimary ? { class: "flowlet-primary" } : {});

/** @param {Context} context @param {boolean} isPrimary */
function testAction(context, isPrimary) {
  const { secret, view } = context;
  return button("Test", () => attempt(context, async () => {
    const { text, outcome } = await call("POST", secretPath(secret.name, "/test"));
    view.live.show(text, { isError: outcome !== "works" });
  }), emphasis(isPrimary));
}

/** @param {import("./server.js").Secret} secret */
const isToBeCorrected = (secret) => TO_BE_CORRECTED.test(refusalOf(secret)?.message ?? "");

/** The next step first: requesting a token where there is none, else trying it. @param {Context} context */
function tokenActions(context) {
  const { secret, view } = context;
  const { access_token: isObtained, refresh_token: isRefreshable, state } = secret.status;
  const isDone = isObtained && state !== "needs_authorization";
  const label = isObtained || view.endedWaiting(secret.name) || refusalOf(secret) ? "Request access token again" : "Request access token";
  const request = requestAction(context, label, !isDone && !isToBeCorrected(secret));
  const actions = isDone ? [testAction(context, true)] : [request];
  if (isRefreshable) actions.push(button("Refresh now", () => attempt(context, change(context, "/refresh"))));
  if (isDone) actions.push(request);
  if (isObtained && secret.revocation_endpoint) actions.push(button("Revoke", () => attempt(context, change(context, "/revoke"))));
  if (isObtained && secret.introspection_endpoint) {
    actions.push(button("Ask the provider", () => attempt(context, async () => {
      const { active } = await call("POST", secretPath(secret.name, "/introspect"));
      view.live.show(active ? `The provider says that the access token of ${secret.name} is good.` : `The provider no longer takes the access token of ${secret.name}.`);
    })));
  }
  return actions;
}

/** What requests an access token by the secret's grant. @param {Context} context @param {string} label @param {boolean} isPrimary */
function requestAction(context, label, isPrimary) {
  const { secret, view, box } = context;
  if (secret.grant_type === GRANT_CODE) return connectLink(secret.name, label, () => view.expectToken(secret), { isPrimary });
  const request = secret.grant_type === GRANT_DEVICE
    // without a redraw: the code must stay on the page until it was entered
    ? () => attempt(context, async () => { box.replaceChildren(deviceView(await call("POST", secretPath(secret.name, "/device")), secret, view, box)); })
    : () => attempt(context, change(context, "/refresh"));
  if (view.startsAtOnce(secret.name)) request();
  return button(label, request, emphasis(isPrimary));
}

/** @param {Context} context */
function upkeepActions({ secret, view, box }) {
  if (secret.client_of) return [button(`Edit ${secret.client_of}`, () => view.manage(secret.client_of))];
  const actions = [button("Edit", () => view.edit(secret), emphasis(isToBeCorrected(secret)))];
  if (secret.type !== "oauth2") return actions;
  actions.push(button("Add account", () => {
    const input = labelled("Account", textInput(), { hint: `Another account at the same client: its secret is named ${secret.name}/…` });
    const add = button("Add", async () => {
      try {
        const made = await call("POST", secretPath(secret.name, "/accounts"), { body: { account: input.control.value } });
        view.changed(made.name);
        view.manage(made.name);
      } catch (error) {
        input.showError(/** @type {Error} */ (error).message);
        input.control.focus(); // its error describes it, and is read out with it
      }
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
      if (response?.notice) view.live.keep(response.notice);
      view.live.announce(`Secret ${secret.name} is deleted.`);
      back?.();
      view.changed(secret.name);
    }), { class: "flowlet-danger" });
    const keep = button("Keep it", () => {
      box.replaceChildren(ask);
      ask.focus();
    });
    const isRevoked = secret.status.access_token && secret.revocation_endpoint;
    const warning = element("span", {}, isRevoked ? "Its tokens are revoked too." : "It cannot be brought back.");
    box.replaceChildren(warning, really, keep);
    view.live.announce(warning.textContent ?? "");
    keep.focus();
  }, { "data-asks": "" });
  const box = element("div", { class: "flowlet-remove", role: "group", "aria-label": `Delete ${secret.name}` }, ask);
  return box;
}
