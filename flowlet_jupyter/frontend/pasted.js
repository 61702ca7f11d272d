// @ts-check
// What was pasted, understood: a provider's client_secret.json, lines of an .env file, a Postman environment, a curl
// command, a URL where a host is meant. Pure: text in, fields out; what is not understood is pasted as it is.

/**
 * @typedef {{values: Record<string, string>, secrets: Record<string, string>, from: string}} Pasted
 */

/** @type {Record<string, string>} */
const PLAIN = {
  client_id: "client_id", clientid: "client_id", consumer_key: "client_id", app_id: "client_id",
  auth_uri: "authorization_endpoint", authorization_endpoint: "authorization_endpoint", auth_url: "authorization_endpoint", authorize_url: "authorization_endpoint",
  token_uri: "token_endpoint", token_endpoint: "token_endpoint", token_url: "token_endpoint", access_token_url: "token_endpoint",
  scope: "scope", scopes: "scope", base_url: "base_url", api_base_url: "base_url", issuer: "issuer",
};
/** @type {Record<string, string>} */
const VALUES = {
  client_secret: "client_secret", clientsecret: "client_secret", consumer_secret: "client_secret", app_secret: "client_secret",
  private_key: "private_key", refresh_token: "refresh_token",
  api_key: "key", apikey: "key", access_key: "key", key: "key", token: "key", access_token: "key", api_token: "key",
};

/**
 * The fields that `text` fills in, or null if it is none of the kinds that are understood.
 * @param {string} text
 * @returns {Pasted | null}
 */
export function understood(text) {
  const trimmed = text.trim();
  if (trimmed.startsWith("{")) return fromJson(trimmed);
  if (/^curl\s/.test(trimmed)) return fromCurl(trimmed);
  return fromEnvironment(trimmed);
}

/** @param {string} text @returns {Pasted | null} */
function fromJson(text) {
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    return null;
  }
  if (Array.isArray(content.values)) {
    const pairs = content.values.filter((/** @type {any} */ entry) => typeof entry?.key === "string" && typeof entry.value === "string");
    return fromPairs(pairs.map((/** @type {any} */ entry) => [entry.key, entry.value]), "the Postman environment");
  }
  if (content.type === "service_account") {
    const { client_email: clientId, private_key: privateKey, private_key_id: keyId, token_uri: endpoint } = content;
    if (!clientId || !privateKey) return null;
    return { from: "the service account's key file",
      values: { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", client_id: clientId, ...(keyId && { private_key_id: keyId }), ...(endpoint && { token_endpoint: endpoint }) },
      secrets: { private_key: privateKey } };
  }
  const inner = content.web ?? content.installed ?? content;
  return fromPairs(Object.entries(inner).filter(([, value]) => typeof value === "string"), "the JSON");
}

/** @param {string} text @returns {Pasted | null} */
function fromEnvironment(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const pairs = lines.map((line) => line.match(/^(?:export\s+|set\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/));
  if (!pairs.length || pairs.some((matched) => matched === null)) return null;
  return fromPairs(pairs.map((matched) => [/** @type {any} */ (matched)[1], unquoted(/** @type {any} */ (matched)[2])]), "the .env lines");
}

/** @param {string} text */
function unquoted(text) {
  const matched = text.match(/^(["'])(.*)\1\s*(?:#.*)?$/);
  return matched ? matched[2] : text.replace(/\s+#.*$/, "");
}

/** @param {[string, string][]} pairs @param {string} from @returns {Pasted | null} */
function fromPairs(pairs, from) {
  /** @type {Pasted} */
  const pasted = { values: {}, secrets: {}, from };
  for (const [name, value] of pairs) {
    const key = name.toLowerCase().replaceAll("-", "_");
    const plain = matchingKey(PLAIN, key);
    const secret = matchingKey(VALUES, key);
    // the longer name is the closer one: CLIENT_SECRET_KEY is no key
    if (secret && secret.length >= (plain?.length ?? 0)) pasted.secrets[VALUES[secret]] ??= value;
    else if (plain) pasted.values[PLAIN[plain]] ??= value;
  }
  return Object.keys(pasted.values).length + Object.keys(pasted.secrets).length ? pasted : null;
}

// "TWITTER_CLIENT_ID" names a client ID as "client_id" does
/** @param {Record<string, string>} names @param {string} key */
function matchingKey(names, key) {
  return Object.keys(names).filter((name) => key === name || key.endsWith(`_${name}`)).sort((a, b) => b.length - a.length)[0];
}

/** @param {string} text @returns {Pasted | null} */
function fromCurl(text) {
  const words = [...text.replace(/\\\r?\n/g, " ").matchAll(/'([^']*)'|"((?:\\.|[^"\\])*)"|(\S+)/g)]
    .map((matched) => matched[1] ?? matched[2]?.replace(/\\(.)/g, "$1") ?? matched[3]);
  /** @type {Pasted} */
  const pasted = { values: {}, secrets: {}, from: "the curl command" };
  for (const [at, word] of words.entries()) {
    if (/^https?:\/\//.test(word) && !pasted.values.base_url) pasted.values.base_url = new URL(word).origin;
    if (!["-H", "--header"].includes(word) || !words[at + 1]) continue;
    const [name, value] = splitOnce(words[at + 1], ":");
    const bearer = value.match(/^(Bearer|Token|ApiKey|Api-Key)\s+(\S+)$/i);
    if (name.toLowerCase() === "authorization" && bearer) {
      Object.assign(pasted.values, { parameter: "Authorization", location: "header", prefix: `${bearer[1]} ` });
      pasted.secrets.key = bearer[2];
    } else if (/(key|token|secret)$/i.test(name)) {
      Object.assign(pasted.values, { parameter: name, location: "header" });
      pasted.secrets.key = value;
    }
  }
  return pasted.secrets.key && pasted.values.base_url ? pasted : null;
}

/** @param {string} text @param {string} separator @returns {[string, string]} */
function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text.trim(), ""] : [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

/**
 * Hosts of what was typed or pasted as allowed hosts: a URL becomes its host, the rest stays.
 * @param {string} text
 */
export function hostsOnly(text) {
  return text.split(/([\s,]+)/).map((part) => {
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(part) && !/^[^\s/]+\.[^\s/]+\/\S*$/.test(part)) return part;
    try {
      return new URL(part.includes("://") ? part : `https://${part}`).host;
    } catch {
      return part;
    }
  }).join("");
}
