// @ts-check
// The state of the form and what follows from it: which rows are shown, and what is sent. No DOM, no request.

export const GRANT_CODE = "authorization_code";
export const GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const GRANT_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PASSWORD_WARNING =
  "This hands your own password to the client, stores it, and goes around two-factor login; OAuth 2.1 has dropped it. " +
  "Choose another grant if the provider has one.";

/**
 * @typedef {{name: string, shape: string, default: any, label: string, help: string, choices: Record<string, string>,
 *   set_by: string, may_be_empty: boolean, is_value: boolean}} Field
 * @typedef {Record<string, {label: string, fields: Field[]}>} Schema the answer of GET api/schema
 * @typedef {{key: string, control: string, label?: string, hint?: string, value?: any, options?: Record<string, string>,
 *   action?: string, isUrl?: boolean, isFolded?: boolean, isReadOnly?: boolean, text?: string}} Row
 * @typedef {{isNew: boolean, kind: string, name: string, values: Record<string, any>, secrets: Record<string, string>,
 *   parameters: Record<string, string>, registrationEndpoint: string | null, isRegistering: boolean,
 *   discovered: string, discoveredFields: Record<string, any>, headerNames: string[], approval: any, isApproved: boolean,
 *   schema: Schema, providers: any[], redirectUri: string, redirectProblem?: string}} State
 */

/**
 * The state that a form begins with; `secret` is null for a new one, which `prefill` may fill in.
 * @param {any} secret @param {any} prefill
 * @param {{schema: Schema, providers: any[], redirectUri: string, redirectProblem?: string}} known
 * @returns {State}
 */
export function initialState(secret, prefill, known) {
  const { isRequired, parameters, ...given } = prefill;
  const source = secret ?? (isRequired ? given : { name: given.name, scope: given.scope });
  const { name, type, status, header_names: headerNames, ...values } = source;
  return {
    ...known,
    isNew: secret === null,
    kind: type ?? given.type ?? "oauth2",
    name: name ?? "",
    values: Object.fromEntries(Object.entries(values).filter(([key, value]) => !key.startsWith("has_") && value !== undefined && value !== null)),
    secrets: isRequired && headerNames ? { headers: headerNames.map((/** @type {string} */ header) => `${header}: `).join("\n") } : {},
    parameters: {},
    registrationEndpoint: null,
    isRegistering: false,
    discovered: "",
    discoveredFields: {},
    headerNames: headerNames ?? [],
    approval: isRequired ? prefill : null,
    isApproved: false,
  };
}

/** @param {State} state */
export function providerOf(state) {
  return state.providers.find((entry) => entry.key === state.values.provider);
}

/**
 * The state after the choice of a provider (or of none), before its fields are asked for.
 * @param {State} state @param {string} key @param {Record<string, string>} given the parameters that are known already
 * @returns {State}
 */
export function withProvider(state, key, given = {}) {
  const entry = state.providers.find((candidate) => candidate.key === key);
  const headers = (entry?.header_names ?? []).map((/** @type {string} */ header) => `${header}: `).join("\n");
  return {
    ...state,
    kind: entry?.type ?? state.kind,
    name: state.name || (entry ? key : ""),
    values: entry ? { provider: key, ...((entry.type ?? "oauth2") === "oauth2" ? { grant_type: entry.grant_type, client_id: entry.client_id } : {}) } : {},
    secrets: headers ? { headers } : {},
    parameters: Object.fromEntries((entry?.parameters ?? []).map((/** @type {any} */ parameter) => [parameter.name, given[parameter.name] ?? parameter.default])),
  };
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

/** @param {State} state @param {any} found the answer of POST api/discover @returns {State} */
export function withDiscovery(state, found) {
  // what an earlier discovery filled in is another provider's, unless the user has changed it
  const own = Object.entries(state.values).filter(([name, value]) => asText(state.discoveredFields[name]) !== asText(value));
  return {
    ...state,
    values: { ...Object.fromEntries(own), provider: undefined, ...found.fields },
    discoveredFields: found.fields,
    registrationEndpoint: found.registration_endpoint,
    discovered: `Found. This secret will talk to: ${found.hosts.join(", ")}`,
  };
}

/**
 * The rows of the form, in their order.
 * @param {State} state @returns {Row[]}
 */
export function rowsOf(state) {
  return state.kind === "oauth2" ? oauth2Rows(state) : plainRows(state);
}

/** @param {State} state @returns {Field[]} */
function fieldsOf(state) {
  return state.schema[state.kind].fields;
}

/** @param {any} value */
function asText(value) {
  return Array.isArray(value) ? value.join(" ") : value ?? "";
}

/** @param {State} state @param {string} name @param {Partial<Row>} more @returns {Row} */
function rowFor(state, name, more = {}) {
  const field = /** @type {Field} */ (fieldsOf(state).find((candidate) => candidate.name === name));
  const choices = Object.keys(field.choices).length ? field.choices : undefined;
  /** @type {Record<string, string>} */
  const controls = { flag: "checkbox", value: "secret", values: "headers" };
  const value = field.is_value ? state.secrets[name] : state.values[name] ?? field.default;
  return {
    key: name,
    control: choices ? "choice" : controls[field.shape] ?? "text",
    label: field.label,
    hint: field.help || undefined,
    options: choices,
    isUrl: field.shape === "url",
    value: field.shape === "flag" ? value === true : name === "allowed_hosts" && Array.isArray(value) ? value.join(", ") : asText(value),
    ...more,
  };
}

/**
 * The choice of a provider and its parameters, for a new secret of any kind.
 * @param {State} state @returns {Row[]}
 */
function providerRows(state) {
  const entry = providerOf(state);
  const kinds = (/** @type {any} */ provider) => ((provider.type ?? "oauth2") === "oauth2" ? "" : ` (${state.schema[provider.type].label})`);
  /** @type {Row[]} */
  const rows = [{
    key: "provider",
    control: "choice",
    label: "Provider",
    hint: providerHint(entry),
    options: { "": "Another provider (fill in, or discover)", ...Object.fromEntries(state.providers.map((provider) => [provider.key, provider.title + kinds(provider)])) },
    value: entry ? entry.key : "",
  }];
  for (const parameter of entry && state.isNew ? entry.parameters : []) {
    rows.push({ key: `parameter:${parameter.name}`, control: "text", label: parameter.label, hint: parameter.hint, value: state.parameters[parameter.name] });
  }
  return rows;
}

/** @param {any} entry */
function providerHint(entry) {
  if (!entry) return "Fills in the endpoints and hosts; only what is yours is left";
  const ends = entry.ends ? `Ends on ${entry.ends}. ` : "";
  const where = entry.type !== "oauth2" && entry.registration_page ? `Get the value at ${entry.registration_page}. ` : "";
  return `${ends}${where}${entry.notes ?? ""}`.trim() || undefined;
}

/** @param {State} state @returns {Row[]} */
function plainRows(state) {
  const known = state.isNew && state.providers.length ? providerRows(state) : [];
  return [...known, ...fieldsOf(state)
    .filter((field) => field.name !== "name" && field.set_by === "anyone" && field.shape !== "mapping")
    .map((field) => {
      if (field.shape !== "values" || state.isNew) return rowFor(state, field.name);
      return rowFor(state, field.name, { hint: `One a line. Stored: ${state.headerNames.join(", ")}; leave empty to keep them` });
    })];
}

/** @param {State} state @returns {Row[]} */
function oauth2Rows(state) {
  const entry = providerOf(state);
  const grant = state.values.grant_type ?? GRANT_CODE;
  const method = state.values.token_endpoint_auth_method ?? "";
  const showsEndpoints = !entry || !state.isNew;
  /** @type {Row[]} */
  const rows = [];
  /** @param {string} name @param {Partial<Row>} [more] */
  const add = (name, more) => rows.push(rowFor(state, name, more));
  rows.push(...providerRows(state));
  if (!entry) add("issuer", { hint: state.discovered || rowFor(state, "issuer").hint, action: "discover" });
  add("grant_type", { value: grant });
  if (grant === "password") rows.push({ key: "warning", control: "warning", text: PASSWORD_WARNING });
  if (grant === GRANT_CODE) {
    const uri = entry?.redirect_rule === "not-localhost" ? state.redirectUri.replace("//localhost", "//127.0.0.1") : state.redirectUri;
    rows.push({ key: "redirect_uri", control: "text", label: "Redirect URI", value: uri, isReadOnly: true, hint: redirectHint(state, entry) });
  }
  if (showsEndpoints) {
    if (grant === GRANT_CODE) add("authorization_endpoint");
    if (grant === GRANT_DEVICE) add("device_authorization_endpoint");
    add("token_endpoint");
  }
  if (!state.isRegistering) {
    add("client_id", grant === GRANT_JWT ? { hint: "The issuer of the assertion: the service account's e-mail address" } : {});
    if (grant !== GRANT_JWT) add("client_secret");
  }
  if (state.registrationEndpoint && state.isNew) {
    rows.push({ key: "registering", control: "checkbox", label: "Register a client now", value: state.isRegistering, hint: "This provider makes a client ID by itself (RFC 7591)" });
  }
  if (grant === GRANT_JWT) {
    add("private_key", { control: "area", hint: "PEM, or the private_key of the JSON key file" });
    add("private_key_id");
    add("subject");
  }
  if (grant === "password") {
    add("username");
    add("password");
  }
  if (grant === "refresh_token") add("refresh_token");
  if (grant === GRANT_EXCHANGE) {
    add("subject_token_file");
    add("subject_secret");
  }
  add("scope", entry?.refresh_token_from ? { hint: `Separated by spaces. A refresh token comes with: ${entry.refresh_token_from}` } : {});
  const methods = /** @type {Field} */ (fieldsOf(state).find((field) => field.name === "token_endpoint_auth_method")).choices;
  add("token_endpoint_auth_method", { options: { "": "automatic", ...methods }, value: method });
  if (method === "private_key_jwt" && grant !== GRANT_JWT) add("private_key", { control: "area" });
  if (method === "tls_client_auth") {
    add("client_certificate_file");
    add("client_key_file");
  }
  add("allowed_hosts");
  add("base_url");
  for (const name of ["dpop", "resource", "openapi"]) add(name, { isFolded: true });
  if (showsEndpoints) for (const name of ["revocation_endpoint", "introspection_endpoint"]) add(name, { isFolded: true });
  return rows;
}

/** @param {State} state @param {any} entry */
function redirectHint(state, entry) {
  if (state.redirectProblem) return state.redirectProblem;
  const where = entry?.registration_page ? ` (${entry.registration_page})` : "";
  const needsHttps = entry?.redirect_rule === "https" && state.redirectUri.startsWith("http://");
  return `${needsHttps ? "This provider takes https:// only: use a JupyterHub or a tunnel with https. " : ""}Register exactly this at the provider${where}`;
}

/**
 * The header lines of the form as an object; a line without a colon is a name whose stored value stays.
 * @param {string} text
 */
export function parsedHeaders(text) {
  return Object.fromEntries(
    text.split("\n").filter((line) => line.trim()).map((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/**
 * What is sent: the secret's fields as JSON has them, without those that are empty.
 * @param {State} state @returns {Record<string, any>}
 */
export function requestBody(state) {
  /** @type {Record<string, any>} */
  const body = { type: state.kind };
  if (state.isRegistering) body.registration_endpoint = state.registrationEndpoint;
  const shown = new Set(rowsOf(state).map((row) => row.key));
  for (const field of fieldsOf(state)) {
    if (field.name === "name" || field.set_by !== "anyone") continue;
    if (field.is_value) {
      const text = shown.has(field.name) ? (state.secrets[field.name] ?? "").trim() : "";
      if (text) body[field.name] = field.shape === "values" ? parsedHeaders(text) : text;
      continue;
    }
    const value = typedValue(field, state.values[field.name]);
    const isEmpty = value === undefined || value === false || value === "" || (Array.isArray(value) && !value.length);
    if (!isEmpty || (field.may_be_empty && value === "")) body[field.name] = value;
  }
  return body;
}

/** @param {Field} field @param {any} value */
function typedValue(field, value) {
  if (typeof value !== "string") return value ?? undefined;
  if (field.shape === "texts") return value.split(/[\s,]+/).filter(Boolean);
  // the space at the end of a prefix is meant
  return field.name === "prefix" ? value : value.trim();
}
