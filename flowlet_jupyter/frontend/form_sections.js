// @ts-check
// Which rows the form shows, in which steps, and the line that stands for what is folded away. No DOM, no request.

import { GRANT_CODE, GRANT_DEVICE, asText, fieldsOf, providerOf } from "./form_state.js";

/**
 * @typedef {import("./form_state.js").State} State
 * @typedef {import("./form_state.js").Row} Row
 * @typedef {import("./form_state.js").Section} Section
 * @typedef {import("./server.js").Field} Field
 */

export const GRANT_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PASSWORD_WARNING =
  "This hands your own password to the client, stores it, and goes around two-factor login; OAuth 2.1 has dropped it. " +
  "Choose another grant if the provider has one.";

/**
 * What saving does: request an access token in the browser, by a code on a device, directly; or only save.
 * @param {State} state @returns {"browser" | "device" | "direct" | "none"}
 */
export function requestOf(state) {
  if (!state.hasNoToken || state.kind !== "oauth2") return "none";
  const grant = state.values.grant_type ?? GRANT_CODE;
  return grant === GRANT_CODE ? "browser" : grant === GRANT_DEVICE ? "device" : "direct";
}

/**
 * All rows of the form, in their order.
 * @param {State} state @returns {Row[]}
 */
export function formRows(state) {
  return sectionsOf(state).flatMap((section) => section.rows);
}

/**
 * The steps of the form, each with its rows, and what is folded away.
 * @param {State} state @returns {Section[]}
 */
export function sectionsOf(state) {
  const sections = state.kind === "oauth2" ? oauth2Sections(state) : plainSections(state);
  return sections.filter((section) => section.rows.length || section.link);
}

/**
 * One line for what is folded away.
 * @param {State} state
 */
export function detailsSummary(state) {
  const { allowed_hosts: hosts, base_url: baseUrl, scope, grant_type: grant, parameter, location, compliance } = state.values;
  const named = asText(hosts).split(/[\s,]+/).filter(Boolean);
  const base = /^https?:\/\/([^/\s]+)/.exec(asText(baseUrl))?.[1];
  const parts = [(named.length ? named : base ? [base] : []).slice(0, 3).join(", ") + (named.length > 3 ? " …" : "")];
  if (state.kind === "oauth2") {
    const scopes = asText(scope).split(/[\s,]+/).filter(Boolean).length;
    const label = (fieldsOf(state).find((field) => field.name === "grant_type")?.choices[grant ?? GRANT_CODE] ?? "").split(":")[0];
    parts.push((grant ?? GRANT_CODE) !== GRANT_CODE ? label : compliance?.pkce === false ? "no PKCE" : "PKCE", scopes ? `scopes: ${scopes}` : "");
  }
  if (state.kind === "api_key") parts.push(`${parameter || "X-API-Key"} in ${location === "query" ? "the query" : "a header"}`);
  return parts.filter(Boolean).join(" · ");
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

// Of a kind without tokens: the rows that are open from the start.
const PLAIN_OPEN = new Set(["key", "password", "username", "headers", "source", "base_url", "parameter", "location", "header", "scheme"]);

/** @param {State} state @returns {Section[]} */
function plainSections(state) {
  const entry = providerOf(state);
  const rows = fieldsOf(state)
    .filter((field) => !["name", "provider"].includes(field.name) && field.set_by === "anyone" && field.shape !== "mapping")
    .map((field) => {
      if (field.shape !== "values" || state.isNew) return rowFor(state, field.name);
      return rowFor(state, field.name, { hint: `One a line. Stored: ${state.headerNames.join(", ")}; leave empty to keep them` });
    });
  const isOpen = (/** @type {Row} */ row) => {
    if (entry) return fieldsOf(state).some((field) => field.name === row.key && (field.is_value || (field.required && !state.values[row.key])));
    return PLAIN_OPEN.has(row.key) || (row.key === "allowed_hosts" && !state.isNew);
  };
  return [
    ...(entry ? [{ key: "app", title: "Get the key", link: entry.registration_page, linkText: `at ${entry.title}`, rows: parameterRows(state) }] : []),
    { key: "credentials", title: "Paste it here", rows: rows.filter((row) => isOpen(row) && row.key !== "base_url") },
    { key: "api", title: "Say where the API is", rows: rows.filter((row) => isOpen(row) && row.key === "base_url") },
    { key: "details", title: "Details", rows: rows.filter((row) => !isOpen(row)) },
  ];
}

/** @param {State} state @returns {Row[]} */
function parameterRows(state) {
  return state.isNew ? (providerOf(state)?.parameters ?? []).map((parameter) => ({
    key: `parameter:${parameter.name}`, control: "text", label: parameter.label, hint: parameter.hint, value: state.parameters[parameter.name],
  })) : [];
}

/** @param {State} state @returns {Section[]} */
function oauth2Sections(state) {
  const entry = providerOf(state);
  const grant = state.values.grant_type ?? GRANT_CODE;
  const method = state.values.token_endpoint_auth_method ?? "";
  const row = (/** @type {string} */ name, /** @type {Partial<Row>} */ more = {}) => rowFor(state, name, more);
  const methods = /** @type {Field} */ (fieldsOf(state).find((field) => field.name === "token_endpoint_auth_method")).choices;
  const endpoints = [
    ...(grant === GRANT_CODE ? [row("authorization_endpoint")] : []),
    ...(grant === GRANT_DEVICE ? [row("device_authorization_endpoint")] : []),
    row("token_endpoint"),
  ];
  const scope = row("scope", entry?.refresh_token_from ? { hint: `Separated by spaces. A refresh token comes with: ${entry.refresh_token_from}` } : {});
  const api = [row("base_url"), row("allowed_hosts")];
  const isCatalogued = Boolean(entry) && state.isNew;
  // the server finds provider and client when the form is saved
  const isOfThisMachine = isCatalogued && Boolean(entry?.is_discovered);
  const credentials = isOfThisMachine ? [] : credentialRows(state);
  const page = entry?.registration_page;
  return [
    { key: "app", title: page ? "Create an app" : "Say which one", link: isCatalogued ? page : undefined, linkText: `at ${entry?.title}`, rows: parameterRows(state) },
    { key: "provider", title: "Say where the provider is", rows: isCatalogued || !state.isNew ? [] : [row("issuer", { hint: state.discovered || row("issuer").hint, action: "discover" }), ...endpoints] },
    { key: "redirect", title: "Register this redirect URI", rows: grant === GRANT_CODE && state.isNew && !state.isRegistering && !isOfThisMachine ? [redirectRow(state)] : [] },
    { key: "credentials", title: credentialsTitle(credentials), rows: isCatalogued ? credentials : [...credentials, scope] },
    { key: "api", title: "Say where the API is", rows: isCatalogued ? [] : api },
    {
      key: "details",
      title: "Details",
      rows: [
        row("grant_type", { value: grant }),
        ...(grant === GRANT_CODE && (!state.isNew || state.isRegistering) ? [redirectRow(state)] : []),
        ...(isCatalogued ? [scope, ...api] : state.isNew ? [] : [row("issuer"), ...endpoints]),
        row("token_endpoint_auth_method", { options: { "": "automatic", ...methods }, value: method }),
        ...["dpop", "resource", "openapi"].map((name) => row(name)),
        ...(isCatalogued ? [] : ["revocation_endpoint", "introspection_endpoint"].map((name) => row(name))),
      ],
    },
  ];
}

/** @param {Row[]} rows */
function credentialsTitle(rows) {
  const keys = rows.map((row) => row.key);
  if (keys.includes("registering") && !keys.includes("client_id")) return "Let this server register a client";
  return keys.includes("client_secret") ? "Paste client ID and client secret" : "Paste what the provider gave you";
}

/** What proves who the client is, by grant. @param {State} state @returns {Row[]} */
function credentialRows(state) {
  const entry = providerOf(state);
  const grant = state.values.grant_type ?? GRANT_CODE;
  const method = state.values.token_endpoint_auth_method ?? "";
  /** @type {Row[]} */
  const rows = [];
  /** @param {string} name @param {Partial<Row>} [more] */
  const add = (name, more) => rows.push(rowFor(state, name, more));
  if (state.registrationEndpoint && state.isNew) {
    rows.push({ key: "registering", control: "checkbox", label: "Register a client now", value: state.isRegistering, hint: "This provider makes a client ID by itself (RFC 7591)" });
  }
  if (!state.isRegistering) {
    const document = state.takesDocument ? { hint: "Or the https:// address of a client metadata document that you host: jupyter flowlet client-metadata" } : {};
    add("client_id", grant === GRANT_JWT ? { hint: "The issuer of the assertion: the service account's e-mail address" } : document);
    // a public client of the catalogue has none
    if (grant !== GRANT_JWT && !(entry && state.isNew && method === "none")) add("client_secret", entry ? { hint: undefined } : {});
  }
  if (grant === GRANT_JWT) {
    add("private_key", { control: "area", hint: "PEM, or the private_key of the JSON key file" });
    add("private_key_id");
    add("subject");
  }
  if (grant === "password") {
    rows.push({ key: "warning", control: "warning", text: PASSWORD_WARNING });
    add("username");
    add("password");
  }
  if (grant === "refresh_token") add("refresh_token");
  if (grant === GRANT_EXCHANGE) {
    add("subject_token_file");
    add("subject_secret");
  }
  if (method === "private_key_jwt" && grant !== GRANT_JWT) add("private_key", { control: "area" });
  if (method === "tls_client_auth") {
    add("client_certificate_file");
    add("client_key_file");
  }
  return rows;
}

/** @param {State} state @returns {Row} */
function redirectRow(state) {
  const hint = state.isRegistering && state.isNew ? "This server registers it together with the client" : "Exactly as it stands here";
  return { key: "redirect_uri", control: "text", label: "Redirect URI", value: state.redirectUri, isReadOnly: true, hint: state.redirectProblem || hint };
}
