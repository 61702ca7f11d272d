// @ts-check
// What was pasted, understood: a provider's client_secret.json, lines of an .env file, a Postman environment, a curl
// command, an authorization URL. Pure: text in, fields out; what is not understood is pasted as it is.

import { fromCurl } from "./pasted_command.js";

/**
 * @typedef {{values: Record<string, any>, secrets: Record<string, string>, from: string, named?: string}} Pasted
 *   `named` is what stands before a known name: "spotify" in SPOTIFY_CLIENT_ID
 */

/** @type {Record<string, string>} */
const PLAIN = {
  client_id: "client_id", clientid: "client_id", consumer_key: "client_id", app_id: "client_id", application_id: "client_id", oauth_client_id: "client_id",
  auth_uri: "authorization_endpoint", authorization_endpoint: "authorization_endpoint", auth_url: "authorization_endpoint", authorize_url: "authorization_endpoint",
  authorization_url: "authorization_endpoint", authorization_uri: "authorization_endpoint", authurl: "authorization_endpoint",
  token_uri: "token_endpoint", token_endpoint: "token_endpoint", token_url: "token_endpoint", access_token_url: "token_endpoint", accesstokenurl: "token_endpoint",
  device_authorization_endpoint: "device_authorization_endpoint", revocation_endpoint: "revocation_endpoint", introspection_endpoint: "introspection_endpoint",
  userinfo_endpoint: "userinfo_endpoint", jwks_uri: "jwks_uri",
  scope: "scope", scopes: "scope", base_url: "base_url", baseurl: "base_url", api_base_url: "base_url", api_url: "base_url", issuer: "issuer", username: "username",
};
/** @type {Record<string, string>} */
const VALUES = {
  client_secret: "client_secret", clientsecret: "client_secret", consumer_secret: "client_secret", app_secret: "client_secret", application_secret: "client_secret",
  private_key: "private_key", refresh_token: "refresh_token", password: "password",
  api_key: "key", apikey: "key", access_key: "key", key: "key", token: "key", access_token: "key", api_token: "key", auth_token: "key",
};
const ENTERED_ELSEWHERE = /^$|^\{\{.*\}\}$|^<[^<>]*>$|^\$\{.*\}$/; // stands for something that the text does not hold

/**
 * The fields that `text` fills in, or null if it is none of the kinds that are understood.
 * @param {string} text
 * @returns {Pasted | null}
 */
export function understood(text) {
  const trimmed = text.replace(/^\ufeff/, "").trim();
  if (trimmed.startsWith("{")) return fromJson(trimmed);
  if (/^curl(\.exe)?\s/i.test(trimmed)) return fromCurl(trimmed);
  if (/^https?:\/\/\S+$/.test(trimmed)) return fromAuthorizationUrl(trimmed);
  return fromEnvironment(trimmed);
}

/**
 * The kind of secret that what was pasted belongs to.
 * @param {Pasted} pasted
 */
export function kindOf({ values, secrets }) {
  if (secrets.key) return "api_key";
  if (values.username !== undefined && secrets.password !== undefined && !values.token_endpoint) return "basic";
  return "oauth2";
}

/** @param {string} text @returns {Pasted | null} */
function fromJson(text) {
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(content.values)) return fromPairs(pairsOfList(content.values), "the Postman environment");
  if (content.type === "service_account") {
    const { client_email: clientId, private_key: privateKey, private_key_id: keyId, token_uri: endpoint } = content;
    if (!clientId || !privateKey) return null;
    return { from: "the service account's key file",
      values: { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", client_id: clientId, ...(keyId && { private_key_id: keyId }), ...(endpoint && { token_endpoint: endpoint }) },
      secrets: { private_key: privateKey } };
  }
  const inner = content.web ?? content.installed ?? content.auth?.oauth2 ?? content.oauth2 ?? content;
  if (Array.isArray(inner)) return fromPairs(pairsOfList(inner), "the Postman request");
  return fromPairs(Object.entries(inner).map(([name, value]) => [name, textOf(name, value)]), "the JSON");
}

// A list of scopes is a text; any other list, number or object is not one of our fields.
/** @param {string} name @param {any} value */
function textOf(name, value) {
  if (typeof value === "string") return value;
  return /^scopes?$/i.test(name) && Array.isArray(value) && value.every((entry) => typeof entry === "string") ? value.join(" ") : "";
}

/** @param {any[]} list @returns {[string, string][]} */
function pairsOfList(list) {
  const named = list.filter((entry) => typeof entry?.key === "string" && typeof entry.value === "string" && entry.enabled !== false && entry.disabled !== true);
  return named.map((entry) => [entry.key.replace(/([a-z])([A-Z])/g, "$1_$2"), entry.value]);
}

/** @param {string} text @returns {Pasted | null} */
function fromEnvironment(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !/^(#|;|\[.*\]$)/.test(line));
  if (!lines.length) return null;
  const assigned = lines.map((line) => line.match(/^(?:export\s+|set\s+|\$env:)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*(.*)$/i));
  if (assigned.every((matched) => matched !== null)) return fromPairs(pairsOf(assigned), "the .env lines");
  // as copied from a page or a YAML file; one such line may be a value that holds a colon
  const labelled = lines.map((line) => line.match(/^["']?([A-Za-z][A-Za-z0-9_. -]*?)["']?\s*[:=]\s*(\S.*)$/));
  const pasted = lines.length > 1 && labelled.every((matched) => matched !== null) ? fromPairs(pairsOf(labelled), "the lines") : null;
  return pasted && Object.keys({ ...pasted.values, ...pasted.secrets }).length > 1 ? pasted : null;
}

/** @param {(RegExpMatchArray | null)[]} found @returns {[string, string][]} */
function pairsOf(found) {
  return found.map((matched) => [/** @type {any} */ (matched)[1], unquoted(/** @type {any} */ (matched)[2])]);
}

/** @param {string} text */
function unquoted(text) {
  const matched = text.match(/^(["'])(.*)\1[;,]?\s*(?:#.*)?$/);
  return matched ? matched[2] : text.replace(/\s+#.*$/, "").replace(/,$/, "");
}

/** @param {[string, string][]} pairs @param {string} from @returns {Pasted | null} */
function fromPairs(pairs, from) {
  /** @type {Pasted} */
  const pasted = { values: {}, secrets: {}, from };
  for (const [name, value] of pairs) {
    if (ENTERED_ELSEWHERE.test(value)) continue;
    const key = name.toLowerCase().replaceAll(/[-. ]+/g, "_");
    const plain = matchingKey(PLAIN, key);
    const secret = matchingKey(VALUES, key);
    // the longer name is the closer one: CLIENT_SECRET_KEY is no key
    const found = secret && secret.length >= (plain?.length ?? 0) ? secret : plain;
    if (!found) continue;
    if (found === secret) pasted.secrets[VALUES[secret]] ??= value;
    else pasted.values[PLAIN[found]] ??= value;
    pasted.named ??= key.slice(0, -found.length).replace(/_$/, "") || undefined;
  }
  // of a client's own tokens, the client is what a secret is made of
  if (pasted.values.client_id && pasted.secrets.key) delete pasted.secrets.key;
  return Object.keys(pasted.values).length + Object.keys(pasted.secrets).length ? pasted : null;
}

// "TWITTER_CLIENT_ID" names a client ID as "client_id" does
/** @param {Record<string, string>} names @param {string} key */
function matchingKey(names, key) {
  return Object.keys(names).filter((name) => key === name || key.endsWith(`_${name}`)).sort((a, b) => b.length - a.length)[0];
}

// The link that a developer page offers, or that a browser shows: its client is in its query.
/** @param {string} text @returns {Pasted | null} */
function fromAuthorizationUrl(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const clientId = url.searchParams.get("client_id");
  if (!clientId || url.searchParams.has("code")) return null;
  const scope = url.searchParams.get("scope");
  return { from: "the authorization URL", values: { authorization_endpoint: url.origin + url.pathname, client_id: clientId, ...(scope && { scope }) }, secrets: {} };
}

/**
 * Hosts of what was typed or pasted as allowed hosts: a URL becomes its host, the rest stays, and so does this server's
 * own redirect URI, which is no API: it is called a mistake.
 * @param {string} text
 */
export function hostsOnly(text) {
  return text.split(/([\s,]+)/).map((part) => {
    if (isOwnRedirectUri(part)) return part;
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(part) && !/^[^\s/]+(\.[^\s/]+|:\d+)\/\S*$/.test(part)) return part;
    try {
      return new URL(part.includes("://") ? part : `https://${part}`).host;
    } catch {
      return part;
    }
  }).join("");
}

/** @param {string} text */
export function isOwnRedirectUri(text) {
  return /^https?:\/\/\S+\/flowlet\/callback(\/[0-9a-f]+)?\/?$/i.test(text.trim());
}
