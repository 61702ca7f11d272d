// @ts-check
// The cheap checks of the form, made in the browser while one types; the server checks everything again when it saves.

import { GRANT_EXCHANGE, formRows } from "./form_sections.js";
import { GRANT_CODE, GRANT_DEVICE } from "./form_state.js";
import { isOwnRedirectUri } from "./pasted.js";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]|::1)$/;
const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/i;

/**
 * What is wrong with the URL `text`; empty if nothing is.
 * @param {string} text
 */
export function urlProblem(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? "This is not a URL." : "A URL starts with https:// and names a host.";
  }
  if (!["https:", "http:"].includes(url.protocol)) return "A URL here starts with https://.";
  if (url.protocol === "http:" && !LOOPBACK.test(url.hostname)) return "This must use https:// (http:// only on this machine).";
  if (url.username || url.password) return "This may not hold a user name or a password.";
  return text.includes("#") ? "This may not have a fragment (#…)." : "";
}

/** @param {string} text */
function hostsProblem(text) {
  const wrong = text.split(/[\s,]+/).filter((part) => part && !HOST.test(part));
  return wrong.length ? `'${wrong[0].slice(0, 60)}' is not a host. Write it as api.example.com or *.example.com.` : "";
}

/**
 * What is wrong with the text in one field, as far as the browser can say; empty if nothing is, or the field is empty.
 * @param {import("./form_state.js").State} state @param {string} key
 */
export function fieldProblem(state, key) {
  if (key === "name") return nameProblem(state.name.trim(), state);
  const field = state.schema[state.kind].fields.find((candidate) => candidate.name === key);
  const value = field?.is_value ? state.secrets[key] : state.values[key];
  const text = (Array.isArray(value) ? value.join(" ") : String(value ?? "")).trim();
  if (!field || !text) return "";
  if (!field.is_value && text.split(/[\s,]+/).some((part) => part === state.redirectUri || isOwnRedirectUri(part))) return "This is this server's own redirect URI: it is entered at the provider, not here.";
  if (field.shape === "url" && key !== "issuer") return urlProblem(text);
  if (key === "allowed_hosts") return hostsProblem(text);
  if (key === "headers") return headersProblem(text);
  if (key === "client_id" && /\s/.test(text)) return "A client ID has no spaces: was more than the ID pasted?";
  return "";
}

/** @param {string} name @param {import("./form_state.js").State} state */
function nameProblem(name, state) {
  if (!name) return "";
  if (!/^[\p{L}\p{N}]/u.test(name)) return "A name starts with a letter or a digit.";
  return state.isNew && state.names.includes(name) ? `There is a secret '${name}' already. Choose another name, or edit it.` : "";
}

/** @param {string} text */
function headersProblem(text) {
  const wrong = text.split("\n").find((line) => line.trim() && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*(:|$)/.test(line.trim()));
  return wrong ? "Write one header a line, as X-Api-Key: value." : "";
}

/**
 * All that is wrong or missing, by field, in the order of the form: what is shown when it is saved.
 * @param {import("./form_state.js").State} state
 * @returns {Record<string, string>}
 */
export function allProblems(state) {
  /** @type {Record<string, string>} */
  const problems = {};
  for (const row of formRows(state)) {
    const problem = fieldProblem(state, row.key) || missingProblem(state, row.key);
    if (problem) problems[row.key] = problem;
  }
  const nameIsWrong = state.name.trim() ? nameProblem(state.name.trim(), state) : "A secret needs a name.";
  return nameIsWrong ? { ...problems, name: nameIsWrong } : problems;
}

/** @param {import("./form_state.js").State} state @param {string} key */
function missingProblem(state, key) {
  if (key.startsWith("parameter:")) return state.parameters[key.slice("parameter:".length)] ? "" : "This is missing.";
  if (!state.isNew) return ""; // a stored value stays
  const field = state.schema[state.kind].fields.find((candidate) => candidate.name === key);
  if (!field) return "";
  const has = (/** @type {string} */ name) => Boolean(String(state.secrets[name] ?? "").trim() || [state.values[name] ?? ""].flat().join("").trim());
  if (has(key)) return "";
  const grant = state.values.grant_type ?? GRANT_CODE;
  if (state.kind === "oauth2") {
    const needed = [...(grant === GRANT_EXCHANGE ? [] : ["client_id"]), ...(NEEDED_BY_GRANT[grant] ?? []), ...(NEEDED_BY_METHOD[state.values.token_endpoint_auth_method] ?? [])];
    if (key === "client_secret" && needed.includes(key)) return "The client secret is missing. A public client has none: then choose so under Client authentication.";
    if (needed.includes(key)) return `The ${lowered(field.label)} is missing.`;
  }
  if (state.kind === "basic" && key === "username") return has("password") ? "" : "The user name and the password are missing; one of them may be empty, not both.";
  if (state.kind !== "oauth2" && key === "base_url" && !has("allowed_hosts")) return "Where may it be sent? Enter the API's address, or allowed hosts under Details.";
  return field.required && field.default === null && key !== "name" ? `The ${lowered(field.label)} ${key === "headers" ? "are" : "is"} missing.` : "";
}

/** @param {string} label */
function lowered(label) {
  return /^[A-Z]{2}/.test(label) ? label : label[0].toLowerCase() + label.slice(1);
}

/** @type {Record<string, string[]>} */
const NEEDED_BY_GRANT = {
  [GRANT_CODE]: ["authorization_endpoint"], [GRANT_DEVICE]: ["device_authorization_endpoint"], refresh_token: ["refresh_token"],
  password: ["username", "password"], "urn:ietf:params:oauth:grant-type:jwt-bearer": ["private_key"],
};
/** @type {Record<string, string[]>} */
const NEEDED_BY_METHOD = {
  client_secret_basic: ["client_secret"], client_secret_post: ["client_secret"], client_secret_jwt: ["client_secret"],
  private_key_jwt: ["private_key"], tls_client_auth: ["client_certificate_file"],
};

/**
 * One sentence for all mistakes; each of them stands beside its field.
 * @param {number} count
 */
export function mistakesSummary(count) {
  if (!count) return "";
  return count === 1 ? "One field needs a change." : `${count} fields need a change.`;
}
