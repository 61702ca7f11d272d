// @ts-check
// Manage tokens: what is known of them, how a cell uses the secret, and what can be done.

import { button, copyButton, element, labelled, textInput } from "./dom.js";
import { GRANT_CODE } from "./form_state.js";
import { manageActions } from "./manage_actions.js";
import { connectLink, statusMark, ticking } from "./status.js";
import { ago } from "./time.js";
import { factsOf, refusalOf, refusalText, requestLine, statusWords, timelineOf } from "./timeline.js";

/** @typedef {import("./server.js").Secret} Secret */
/** @typedef {import("./server.js").View} View */

/**
 * `view` redraws and polls; see app.js. `back` returns to the table, or is null where there is none.
 * @param {Secret} secret @param {View} view @param {(() => void) | null} back
 */
export function manageView(secret, view, back) {
  const box = element("div"); // the device flow's code, or the question for another account
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Manage tokens of ${secret.name}` },
    element("div", { class: "flowlet-head" }, element("h2", {}, `Manage tokens: ${secret.name}`), back ? button("All secrets", back) : null),
    element("p", { class: "flowlet-status" }, statusMark(secret.status), statusWords(secret.status)),
    secret.ending ? element("p", { class: "flowlet-waiting" }, secret.ending) : null,
    waitingHint(secret, view),
    redirectUri(secret, view),
    timeline(secret),
    facts(secret),
    useInCell(secret),
    box,
    manageActions({ secret, view, box, back }),
  );
}

/** @param {Secret} secret @param {View} view */
function waitingHint(secret, view) {
  const refusal = view.isExpecting(secret.name) ? null : refusalOf(secret);
  if (refusal) return element("p", { class: "flowlet-warning" }, "Last try, ", ticking((now) => ago(refusal.time, now)), `: ${refusalText(refusal)}`);
  const ended = view.endedWaiting(secret.name);
  if (ended) return element("p", { class: "flowlet-warning" }, ended);
  if (!view.isExpecting(secret.name)) return null;
  return element("p", { class: "flowlet-waiting" },
    "Waiting for you to allow it in the other tab. Was that tab closed, or did none open? Press Request access token: it opens a new one, and the old one no longer counts.");
}

// These the provider sends back, and they have another cause than the redirect URI.
const OTHER_CAUSES = /access_denied|invalid_client|invalid_scope|expired_token|Access was not allowed/;

/**
 * While there is no token: what has to stand at the provider, whose page says so if it does not, and sends nothing back.
 * @param {Secret} secret @param {View} view
 */
function redirectUri(secret, view) {
  const refusal = refusalOf(secret);
  const isTried = view.isExpecting(secret.name) || view.endedWaiting(secret.name) || (refusal && !OTHER_CAUSES.test(refusal.message));
  if (!secret.redirect_uri_here || !isTried) return null;
  const field = textInput(secret.redirect_uri_here, { readonly: "", class: "flowlet-redirect-uri" });
  const row = labelled("Redirect URI", field, {
    hint: "Register it at the provider, exactly as it stands here; then request the access token again.",
    beside: copyButton(() => field.value),
  }).row;
  return element("details", { class: "flowlet-rare" }, element("summary", {}, "The provider's page says that the redirect URI is wrong?"), row);
}

/** A request that changes nothing, to be tried at once. @param {Secret} secret */
function useInCell(secret) {
  const line = requestLine(secret);
  if (!line) return null;
  return labelled("Use it in a cell", textInput(line, { readonly: "" }), { beside: copyButton(() => line) }).row;
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

/**
 * In the output of a cell that waits for a token: the link alone.
 * @param {Secret} secret @param {View} view
 */
export function connectView(secret, view) {
  const { status } = secret;
  if (status.state === "connected") {
    const events = timelineOf(secret).filter((event) => event.key === "ends");
    return element("p", {}, statusMark(status), `Secret ${secret.name} is connected`, ", access token ", ...events.map(({ tick }) => ticking(tick)), ".");
  }
  if (secret.grant_type !== GRANT_CODE) return manageView(secret, view, null);
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Connect ${secret.name}` },
    element("p", {}, statusMark(status), element("strong", {}, secret.name), `: ${statusWords(status)}.`),
    waitingHint(secret, view),
    redirectUri(secret, view),
    element("div", { class: "flowlet-actions" }, connectLink(secret.name, view.endedWaiting(secret.name) || refusalOf(secret) ? "Request access token again" : "Request access token", () => view.expectToken(secret))),
  );
}
