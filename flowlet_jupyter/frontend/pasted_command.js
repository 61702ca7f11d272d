// @ts-check
// A pasted curl command: the key of a request, or the client of a token request. Pure.

const GRANTS = new Set(["authorization_code", "client_credentials", "refresh_token", "password"]);
const KEY_NAME = /(^|[-_])(api[-_]?key|key|token|secret|appid|auth)$/i;

/** @param {string} text @returns {import("./pasted.js").Pasted | null} */
export function fromCurl(text) {
  const { urls, headers, data, user } = curlParts(shellWords(text));
  const url = urls.map(asUrl).find(Boolean);
  if (!url) return null;
  const from = "the curl command";
  const form = new URLSearchParams(data.filter((part) => !/^\s*[{[]/.test(part)).join("&"));
  if (form.has("grant_type") || form.has("client_id")) return fromTokenRequest(url, form, user, from);
  const values = { base_url: url.origin };
  const [name, ...rest] = user?.split(":") ?? [];
  if (user) return { from, values: { ...values, username: name }, secrets: { password: rest.join(":") } };
  return keyOfHeader(headers, values, from) ?? keyOfQuery(url, values, from);
}

/** @param {[string, string][]} headers @param {Record<string, string>} values @param {string} from */
function keyOfHeader(headers, values, from) {
  for (const [name, value] of headers) {
    const schemed = value.match(/^([A-Za-z][\w-]*)\s+(\S+)$/);
    if (name.toLowerCase() === "authorization" && schemed?.[1].toLowerCase() === "basic") return basicOf(schemed[2], values, from);
    if (name.toLowerCase() === "authorization") {
      return { from, values: { ...values, parameter: "Authorization", location: "header", prefix: schemed ? `${schemed[1]} ` : "" }, secrets: { key: schemed?.[2] ?? value } };
    }
    if (KEY_NAME.test(name)) return { from, values: { ...values, parameter: name, location: "header" }, secrets: { key: value } };
  }
  return null;
}

/** @param {URL} url @param {Record<string, string>} values @param {string} from */
function keyOfQuery(url, values, from) {
  const found = [...url.searchParams].find(([name, value]) => KEY_NAME.test(name) && value);
  return found ? { from, values: { ...values, parameter: found[0], location: "query" }, secrets: { key: found[1] } } : null;
}

/** @param {string} encoded @param {Record<string, string>} values @param {string} from */
function basicOf(encoded, values, from) {
  try {
    const [username, ...rest] = atob(encoded).split(":");
    return { from, values: { ...values, username }, secrets: { password: rest.join(":") } };
  } catch {
    return null;
  }
}

/** @param {URL} url @param {URLSearchParams} form @param {string | undefined} user @param {string} from */
function fromTokenRequest(url, form, user, from) {
  const [userId, ...rest] = user?.split(":") ?? [];
  const grant = form.get("grant_type") ?? "";
  /** @param {Record<string, string | null | undefined>} fields @returns {Record<string, string>} */
  const given = (fields) => /** @type {any} */ (Object.fromEntries(Object.entries(fields).filter(([, value]) => value)));
  return {
    from,
    values: given({ token_endpoint: url.origin + url.pathname, client_id: form.get("client_id") ?? userId, scope: form.get("scope"), grant_type: GRANTS.has(grant) ? grant : "", username: form.get("username") }),
    secrets: given({ client_secret: form.get("client_secret") ?? (user ? rest.join(":") : ""), refresh_token: form.get("refresh_token"), password: form.get("password") }),
  };
}

/** @param {string} text */
function asUrl(text) {
  try {
    return new URL(/^https?:\/\//i.test(text) ? text : `https://${text}`);
  } catch {
    return null;
  }
}

/** @type {Record<string, string>} */
const LONG = { "--header": "-H", "--user": "-u", "--data": "-d", "--data-raw": "-d", "--data-urlencode": "-d", "--data-ascii": "-d", "--data-binary": "-d", "--url": "--url", "--json": "--json" };
const WITH_VALUE = /^(-[XAbceoxFmTKEw]|--(request|user-agent|cookie|cookie-jar|referer|output|proxy|form|max-time|connect-timeout|cacert|cert|retry|upload-file))$/;

/** @param {string[]} words */
function curlParts(words) {
  /** @type {{urls: string[], headers: [string, string][], data: string[], user: string | undefined}} */
  const parts = { urls: [], headers: [], data: [], user: undefined };
  for (let at = 1; at < words.length; at += 1) {
    let word = words[at];
    /** @type {string | undefined} */
    let value;
    const [long, ...assigned] = word.startsWith("--") ? word.split("=") : [word];
    if (assigned.length) [word, value] = [long, assigned.join("=")];
    else if (/^-[HudX]./.test(word)) [word, value] = [word.slice(0, 2), word.slice(2)];
    const option = LONG[word] ?? word;
    const takes = () => value ?? words[(at += 1)] ?? "";
    if (option === "-H") {
      const header = takes();
      const colon = header.indexOf(":");
      if (colon > 0) parts.headers.push([header.slice(0, colon).trim(), header.slice(colon + 1).trim()]);
    } else if (option === "-d") parts.data.push(takes());
    else if (option === "-u") parts.user = takes();
    else if (option === "--url") parts.urls.push(takes());
    else if (option === "--json" || WITH_VALUE.test(option)) takes();
    else if (!option.startsWith("-")) parts.urls.push(option);
  }
  return parts;
}

/**
 * The words of a command as a POSIX shell splits them: quotes join, a backslash takes the next character as it is.
 * @param {string} text
 */
export function shellWords(text) {
  const joined = text.replace(/(\\|\^|`)\r?\n/g, " ");
  const words = [];
  for (const [word] of joined.matchAll(/(?:\$'(?:[^'\\]|\\.)*'|'[^']*'|"(?:\\[\s\S]|[^"\\])*"|\\[\s\S]|[^\s'"\\])+/g)) {
    words.push(word.replace(/\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])/g, (_, ansi, single, double, escaped) => ansi?.replace(/\\(.)/g, "$1") ?? single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped));
  }
  return words;
}
