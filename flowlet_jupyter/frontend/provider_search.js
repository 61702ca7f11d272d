// @ts-check
// What the search field of the form offers for what was typed. Pure: no DOM, no request.

/**
 * @typedef {{key: string, title: string, note: string, kind: string, provider: string | null, address?: string}} Choice
 *   `kind` is the kind of secret it makes; `provider` is null where there is no entry; `address` is a URL that was searched for
 */

/** @type {Record<string, string>} */
const GENERIC = {
  oauth2: "Another OAuth2 provider",
  api_key: "An API key",
  password: "A token or password (Bearer)",
  basic: "A user name and password (Basic)",
  headers: "HTTP headers",
  external: "A value kept elsewhere",
};
/** @type {Record<string, string>} */
const GENERIC_NOTES = {
  oauth2: "by its address, or by its endpoints",
  api_key: "in a header or in the URL's query",
  external: "environment, file, keyring or hub; read only",
};

// What most people come for, in this order, as long as nothing is searched.
const WELL_KNOWN = ["github", "google", "microsoft", "twitter", "spotify", "slack", "notion", "dropbox", "linkedin", "salesforce", "hubspot", "gitlab", "jira", "discord", "strava"];
/** @param {string | null} key */
const standing = (key) => (WELL_KNOWN.indexOf(key ?? "") + 1) || WELL_KNOWN.length + 1;

/** @param {string} kind @param {import("./server.js").Schema} schema */
export function shortKind(kind, schema) {
  const names = /** @type {Record<string, string>} */ ({ oauth2: "OAuth2", api_key: "API key", password: "Bearer", basic: "Basic", external: "Kept elsewhere", headers: "Headers" });
  return names[kind] ?? schema[kind]?.label ?? kind;
}

/**
 * The choices for `query`, best first: those already in use and the organisation's before others, then the well-known ones, and the general ones,
 * which always fit, at the end.
 * @param {import("./server.js").Provider[]} providers @param {import("./server.js").Schema} schema
 * @param {string[]} used keys of providers that a secret here has @param {string} query
 * @returns {Choice[]}
 */
export function choicesFor(providers, schema, used, query) {
  // of a pasted address, its host is looked for
  const words = query.toLowerCase().replace(/^https?:\/\/([^/\s]+)\S*$/, "$1").split(/\s+/).filter(Boolean);
  const ranked = providers.map((provider) => {
    const kind = provider.type ?? "oauth2";
    const ends = provider.ends ? `ends ${provider.ends}` : "";
    const mark = provider.is_organisations ? "your organisation's" : used.includes(provider.key) ? "used here" : "";
    const note = [shortKind(kind, schema), provider.category, ends, mark].filter(Boolean).join(" · ");
    return { rank: rankOf(provider, words), isNear: Boolean(mark), choice: { key: `provider:${provider.key}`, title: provider.title, note, kind, provider: provider.key } };
  });
  const found = ranked.filter(({ rank }) => rank < 4)
    .sort((a, b) => a.rank - b.rank || Number(b.isNear) - Number(a.isNear)
      || (words.length ? 0 : standing(a.choice.provider) - standing(b.choice.provider)) || a.choice.title.localeCompare(b.choice.title));
  const order = Object.keys(GENERIC);
  const general = Object.keys(schema).sort((a, b) => order.indexOf(a) - order.indexOf(b)).map((kind) => ({
    key: `kind:${kind}`, title: GENERIC[kind] ?? schema[kind].label, note: GENERIC_NOTES[kind] ?? "", kind, provider: null,
  }));
  return [...found.map(({ choice }) => choice), ...general];
}

/** @param {import("./server.js").Provider} provider @param {string[]} words */
function rankOf(provider, words) {
  if (!words.length) return 0;
  const title = provider.title.toLowerCase();
  const text = `${title} ${provider.key} ${provider.category ?? ""} ${(provider.hosts ?? []).join(" ")}`.toLowerCase();
  if (!words.every((word) => text.includes(word))) return 4;
  if (title.startsWith(words[0]) || provider.key.startsWith(words[0])) return 1;
  return new RegExp(`(^|[^a-z0-9])${words[0].replace(/[^a-z0-9]/g, "\\$&")}`).test(text) ? 2 : 3;
}

/**
 * The entry that what was pasted belongs to, as its API's host or the name before a known one says ("SPOTIFY_CLIENT_ID").
 * @param {import("./pasted.js").Pasted} pasted @param {string} kind @param {import("./server.js").Provider[]} providers
 */
export function providerOfPasted({ values, named }, kind, providers) {
  const ofKind = providers.filter((provider) => (provider.type ?? "oauth2") === kind);
  const host = /^https:\/\/([^/]+)/.exec(values.base_url ?? "")?.[1];
  const atHost = host && ofKind.filter((provider) => provider.hosts?.includes(host));
  if (atHost && atHost.length === 1) return atHost[0];
  const key = named?.replaceAll("_", "-");
  return key && !host ? ofKind.find((provider) => provider.key === key) : undefined;
}

/**
 * The entry that a secret was made from: an OAuth2 one names it, a key goes to the same hosts.
 * @param {import("./server.js").Secret} secret @param {import("./server.js").Provider[]} providers
 */
export function providerOfSecret(secret, providers) {
  if (secret.type === "oauth2") return providers.find((provider) => provider.key === secret.provider);
  const hosts = (secret.allowed_hosts ?? []).join(" ");
  return hosts ? providers.find((provider) => provider.type === secret.type && provider.hosts?.join(" ") === hosts) : undefined;
}
