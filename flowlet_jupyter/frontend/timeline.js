// @ts-check
// What is known of a secret's tokens, in words and in the order of time. Pure.

import { ago, expiryText } from "./time.js";

const NO_REFRESH_TOKEN =
  "No refresh token was given: when the access token ends, you will be asked to connect again. A scope usually brings " +
  "one: offline.access at Twitter, offline_access at most others.";

/**
 * @param {import("./server.js").Status} status
 * @returns {string} one sentence without its full stop
 */
export function statusWords(status) {
  switch (status.state) {
    case "ready": return "Ready";
    case "connected": return status.identity ? `Connected as ${status.identity}` : "Connected";
    case "expired": return status.identity ? `Connected as ${status.identity}` : "Connected";
    case "on_demand": return "Ready: the first request obtains an access token";
    case "no_token": return "No access token yet";
    case "needs_authorization": return status.problem ? `Needs authorization: ${status.problem}` : "Needs authorization";
    default: return status.state;
  }
}

/**
 * What is read out when the status of a secret has changed; empty if it says the same as before.
 * @param {string} name @param {import("./server.js").Status} before @param {import("./server.js").Status} after
 */
export function statusChange(name, before, after) {
  const text = statusWords(after);
  // a token that was requested again is news, though the words are the same; a refreshed one is none
  if (text === statusWords(before) && after.connected_at === before.connected_at) return "";
  if (after.state === "connected") return `${name} is now connected${after.identity ? `, as ${after.identity}` : ""}.`;
  return `${name}: ${text}.`;
}

/**
 * @param {import("./server.js").Status} status
 * @returns {"good" | "waiting" | "none"}
 */
export function statusLevel(status) {
  // an access token that has expired is refreshed on first use: nothing is wrong
  if (["connected", "expired", "ready", "on_demand"].includes(status.state)) return "good";
  return status.state === "needs_authorization" ? "waiting" : "none";
}

/**
 * The line magic that sends the secret's harmless request; empty where a request would not get through yet.
 * @param {import("./server.js").Secret} secret
 */
export function requestLine({ name, status, example_url: url }) {
  const isUsable = ["ready", "connected", "expired", "on_demand"].includes(status.state);
  const quoted = /^[\p{L}\p{N}._/@+-]+$/u.test(name) ? name : /["'\\${}]/.test(name) ? "" : `"${name}"`;
  return isUsable && url && quoted ? `%flowlet_request ${url} --secret ${quoted}` : "";
}

/** @param {import("./server.js").Use} use @param {number} now */
export function useText(use, now) {
  return `${ago(use.time, now)}${use.notebook ? ` by ${use.notebook}` : ""}: ${use.method} ${use.host}, ${use.status}`;
}

/**
 * What is known of the tokens: when something was, or will be (Unix time), what it is, and a word on it. `tick` is the
 * text at a moment, where it changes with the clock.
 * @param {import("./server.js").Secret} secret
 * @returns {{key: string, label: string, at: number | null, tick: (now: number) => string}[]}
 */
export function timelineOf(secret) {
  const { status, last_use: use } = secret;
  const events = [];
  const passed = (/** @type {string} */ key, /** @type {string} */ label, /** @type {number | null | undefined} */ at) => {
    if (status.access_token && at) events.push({ key, label, at, tick: (/** @type {number} */ now) => ago(at, now) });
  };
  passed("connected", "Connected", status.connected_at);
  if (!status.connected_at) passed("obtained", "Access token obtained", status.obtained_at);
  else if (status.obtained_at !== status.connected_at) passed("obtained", "Refreshed last", status.obtained_at);
  if (use) events.push({ key: "used", label: "Last used", at: use.time, tick: (/** @type {number} */ now) => useText(use, now) });
  if (status.access_token) {
    const after = status.refresh_token ? ", then it is refreshed by itself" : "";
    events.push({
      key: "ends", label: "Access token", at: status.expires_at ?? null,
      tick: (/** @type {number} */ now) => `${expiryText(status, now)}${status.expires_at && status.expires_at > now ? after : ""}`,
    });
  }
  return events;
}

/** A refusal in the view of its secret, whose name need not be said again. @param {{message: string}} refusal */
export function refusalText({ message }) {
  return message.replace(/^Secret '[^']*': (.)/, (/** @type {string} */ _all, /** @type {string} */ first) => first.toUpperCase());
}

/** @param {string} text @param {number} most characters */
export function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text;
}

/**
 * The refusal that the secret's last request for a token ended with, as long as no token came after it.
 * @param {import("./server.js").Secret} secret
 */
export function refusalOf({ refusal, status }) {
  return refusal && refusal.time > (status?.obtained_at ?? 0) ? refusal : null;
}

/**
 * What stays true while the clock runs.
 * @param {import("./server.js").Secret} secret
 * @returns {[string, string][]}
 */
export function factsOf(secret) {
  const { status } = secret;
  /** @type {[string, string][]} */
  const facts = [];
  if (secret.type === "oauth2" && status.access_token) {
    facts.push(["Refresh token", status.refresh_token ? "obtained" : NO_REFRESH_TOKEN], ["Scopes granted", status.scope || "not said by the provider"]);
  }
  if (status.identity_problem) facts.push(["Identity", `not proven: ${status.identity_problem}`]);
  if (secret.type === "external") facts.push(["Read from", secret.source]);
  facts.push(["Allowed hosts", secret.allowed_hosts.join(", ")]);
  return facts;
}
