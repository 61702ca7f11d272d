// @ts-check
// The state of the form and how it changes. No DOM, no request.

export const GRANT_CODE = "authorization_code";
export const GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code";

/**
 * @typedef {import("./server.js").Field} Field
 * @typedef {import("./server.js").Schema} Schema
 * @typedef {{key: string, control: string, label?: string, hint?: string, value?: any, options?: Record<string, string>,
 *   action?: string, isUrl?: boolean, isReadOnly?: boolean, text?: string}} Row
 * @typedef {{key: string, title: string, link?: string, linkText?: string, rows: Row[]}} Section
 *   the rows of one step; those of the section "details" are folded away
 * @typedef {{schema: Schema, providers: import("./server.js").Provider[], names: string[], redirectUri: string,
 *   redirectProblem?: string}} Known what the server says before the form is drawn
 * @typedef {Known & {isNew: boolean, hasNoToken: boolean, isChoosing: boolean, kind: string, name: string, isNameTyped: boolean,
 *   values: Record<string, any>, secrets: Record<string, string>, parameters: Record<string, string>,
 *   registrationEndpoint: string | null, takesDocument: boolean, isRegistering: boolean, discovered: string, discoveredFields: Record<string, any>, headerNames: string[],
 *   approval: any, isDetailsOpen: boolean, pastedName: string}} State `pastedName` stood before what was pasted: "spotify" in SPOTIFY_CLIENT_ID
 */

/**
 * The state that a form begins with; `secret` is null for a new one, which `prefill` may fill in.
 * @param {any} secret @param {any} prefill @param {Known} known
 * @returns {State}
 */
export function initialState(secret, prefill, known) {
  const { isRequired, parameters, ...given } = prefill;
  const source = secret ?? (isRequired ? given : { name: given.name, scope: given.scope });
  const { name, type, status, header_names: headerNames, ...values } = source;
  return {
    ...known,
    isNew: secret === null,
    hasNoToken: secret === null || status?.access_token === false,
    isChoosing: secret === null && !isRequired && !given.provider && !given.type,
    kind: type ?? given.type ?? "oauth2",
    name: name ?? "",
    isNameTyped: Boolean(name),
    values: Object.fromEntries(Object.entries(values).filter(([key, value]) => !key.startsWith("has_") && value !== undefined && value !== null)),
    secrets: isRequired && headerNames ? { headers: headerNames.map((/** @type {string} */ header) => `${header}: `).join("\n") } : {},
    parameters: {},
    registrationEndpoint: null,
    takesDocument: false,
    isRegistering: false,
    discovered: "",
    discoveredFields: {},
    headerNames: headerNames ?? [],
    approval: isRequired ? prefill : null,
    isDetailsOpen: false,
    pastedName: "",
  };
}

/** @param {State} state */
export function providerOf(state) {
  return state.providers.find((entry) => entry.key === state.values.provider);
}

/**
 * The state after a choice of the search field, before the fields of its provider are asked for.
 * @param {State} state @param {{kind: string, provider: string | null, address?: string}} chosen
 * @param {Record<string, string>} given the parameters that are known already
 * @returns {State}
 */
export function withChoice(state, { kind, provider, address }, given = {}) {
  const entry = state.providers.find((candidate) => candidate.key === provider);
  return withSuggestedName({
    ...state,
    kind,
    isChoosing: false,
    values: !entry ? addressed(kind, address) : kind === "oauth2" ? { provider, grant_type: entry.grant_type, client_id: entry.client_id } : { provider },
    secrets: entry?.header_names?.length ? { headers: entry.header_names.map((header) => `${header}: `).join("\n") } : {},
    parameters: Object.fromEntries((entry?.parameters ?? []).map((parameter) => [parameter.name, given[parameter.name] ?? parameter.default])),
  });
}

/** @param {string} kind @param {string | undefined} address @returns {Record<string, string>} */
function addressed(kind, address) {
  if (!address || kind === "external") return {};
  return kind === "oauth2" ? { issuer: address } : { base_url: address };
}

/**
 * The state with a name that nobody has typed: the provider's, what stands in the host, or what was pasted; never one that is taken.
 * @param {State} state @returns {State}
 */
export function withSuggestedName(state) {
  if (!state.isNew || state.isNameTyped) return state;
  const { provider, issuer, base_url: baseUrl, allowed_hosts: hosts, token_endpoint: tokenEndpoint } = state.values;
  const host = [baseUrl, issuer, tokenEndpoint, hosts].map((text) => /^(?:https?:\/\/)?(?:\*\.)?([a-z0-9.-]+\.[a-z]{2,})/i.exec(asText(text))?.[1]).find(Boolean);
  const stem = provider ?? host?.split(".").at(-2)?.toLowerCase() ?? state.pastedName;
  if (!stem) return { ...state, name: "" };
  let name = stem;
  for (let number = 2; state.names.includes(name); number += 1) name = `${stem}-${number}`;
  return { ...state, name };
}

/**
 * Whether the provider's fields can be asked for: all of its parameters are there.
 * @param {State} state
 */
export function canFillIn(state) {
  return Boolean(providerOf(state)) && Object.values(state.parameters).every(Boolean);
}

/**
 * The state with the fields that the provider's entry fills in; what the user typed already stays.
 * @param {State} state @param {Record<string, any>} fields @returns {State}
 */
export function filledIn(state, fields) {
  const { client_id: clientId, scope } = state.values;
  if (state.kind !== "oauth2") {
    const { type, ...values } = fields;
    return { ...state, values: { ...values, provider: state.values.provider } };
  }
  return { ...state, values: { ...fields, client_id: clientId || fields.client_id, scope: scope || fields.scope } };
}

/** @param {State} state @param {any} found the response of POST api/discover @returns {State} */
export function withDiscovery(state, found) {
  // what an earlier discovery filled in is another provider's, unless the user has changed it
  const own = Object.entries(state.values).filter(([name, value]) => asText(state.discoveredFields[name]) !== asText(value));
  return withSuggestedName({
    ...state,
    values: { ...Object.fromEntries(own), provider: undefined, ...found.fields },
    discoveredFields: found.fields,
    registrationEndpoint: found.registration_endpoint,
    takesDocument: found.client_id_metadata_document_supported,
    discovered: `Found. This secret will talk to: ${found.hosts.join(", ")}`,
  });
}

/**
 * The state with what was pasted, and the names of the fields that it filled in; what the kind does not have is left out.
 * @param {State} state @param {import("./pasted.js").Pasted} pasted
 * @returns {{state: State, filled: string[]}}
 */
export function withPasted(state, pasted) {
  const own = new Map(fieldsOf(state).map((field) => [field.name, field]));
  const entry = providerOf(state);
  // the catalogue's endpoints and hosts are checked; a pasted file must not move them
  const taken = (/** @type {string} */ name) => own.has(name) && own.get(name)?.set_by === "anyone" && (!entry || ["client_id", "scope", "private_key_id", "username"].includes(name) || own.get(name)?.is_value);
  const values = Object.fromEntries(Object.entries(pasted.values).filter(([name]) => taken(name)));
  const secrets = Object.fromEntries(Object.entries(pasted.secrets).filter(([name]) => taken(name)));
  if (pasted.secrets.key && !own.has("key") && state.kind === "password") secrets.password = pasted.secrets.key;
  const filled = [...Object.keys(values), ...Object.keys(secrets)];
  return { state: withSuggestedName({ ...state, pastedName: pasted.named?.replaceAll("_", "-") ?? state.pastedName, values: { ...state.values, ...values }, secrets: { ...state.secrets, ...secrets } }), filled: filled.map((name) => own.get(name)?.label ?? name) };
}

/**
 * The state of a form that begins with what was pasted where no entry fits, or with the fields of the entry that does.
 * @param {State} state @param {string} kind @param {Record<string, any>} fields @returns {State}
 */
export function withFields(state, kind, fields) {
  return withSuggestedName({ ...withChoice(state, { kind, provider: null }), values: fields });
}

/**
 * What of a pasted client may be matched with the catalogue: the catalogue itself says the rest.
 * @param {import("./pasted.js").Pasted} pasted
 */
export function matchable({ values }) {
  return Object.fromEntries(["token_endpoint", "client_id", "scope", "grant_type", "private_key_id"].filter((name) => values[name]).map((name) => [name, values[name]]));
}

/** @param {State} state @returns {Field[]} */
export function fieldsOf(state) {
  return state.schema[state.kind].fields;
}

/** @param {any} value */
export function asText(value) {
  return Array.isArray(value) ? value.join(" ") : value ?? "";
}
