// The form's state without a browser: which rows it shows, and what it sends.

import assert from "node:assert/strict";
import test from "node:test";

import {
  canFillIn, filledIn, initialState, parsedHeaders, requestBody, rowsOf, withDiscovery, withProvider,
} from "../../flowlet_jupyter/frontend/form_state.js";
import { approvalText, harmlessPrefill } from "../../flowlet_jupyter/frontend/required.js";

const field = (name, shape = "text", more = {}) => ({
  name, shape, default: null, label: name, help: "", choices: {}, set_by: "anyone", may_be_empty: false,
  is_value: shape === "value" || shape === "values", ...more,
});
const shared = [field("name"), field("allowed_hosts", "texts", { default: [] }), field("base_url", "url"), field("openapi")];
const oauth2 = [
  ...shared, ...["authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "introspection_endpoint", "issuer"].map((name) => field(name, "url")),
  ...["client_id", "scope", "provider", "private_key_id", "subject", "username", "subject_token_file", "subject_secret", "client_certificate_file", "client_key_file"].map((name) => field(name)),
  field("grant_type", "text", { default: "authorization_code", choices: { authorization_code: "Code" } }),
  field("token_endpoint_auth_method", "text", { choices: { none: "none" } }),
  ...["client_secret", "private_key", "password", "refresh_token"].map((name) => field(name, "value")),
  field("resource", "texts"), field("dpop", "flag", { default: false }), field("compliance", "compliance", { default: {} }),
  field("client_of", "text", { set_by: "flowlet" }),
];
const schema = {
  oauth2: { label: "OAuth2", fields: oauth2 },
  api_key: { label: "API key", fields: [...shared, field("key", "value"), field("location", "text", { default: "header", choices: { header: "h", query: "q" } }), field("prefix"), field("api_headers", "mapping", { default: {} })] },
  headers: { label: "Headers", fields: [...shared, field("headers", "values")] },
  external: { label: "External", fields: [...shared, field("source"), field("scheme", "text", { default: "Bearer", may_be_empty: true })] },
};
const shop = { key: "shop", title: "Shop", type: "oauth2", grant_type: "authorization_code", client_id: "", parameters: [{ name: "shop", label: "Shop", default: "" }] };
const known = { schema, providers: [shop], redirectUri: "http://localhost:8888/flowlet/callback" };
const start = (secret = null, prefill = {}) => initialState(secret, prefill, known);
const keys = (state) => rowsOf(state).map((row) => row.key);

test("a kind's rows are those of the schema", () => {
  const state = { ...start(), kind: "api_key" };
  assert.deepEqual(keys(state), ["provider", "allowed_hosts", "base_url", "openapi", "key", "location", "prefix"]);
  assert.equal(rowsOf(state).find((row) => row.key === "location").value, "header");
});

test("what is sent has the types of the schema, and nothing that is empty", () => {
  const state = { ...start(), kind: "api_key" };
  state.values = { allowed_hosts: "a.example, b.example", base_url: " ", location: "query", prefix: "Token " };
  state.secrets = { key: "k " };
  assert.deepEqual(requestBody(state), { type: "api_key", allowed_hosts: ["a.example", "b.example"], location: "query", prefix: "Token ", key: "k" });
});

test("an empty text is sent where it means none", () => {
  const state = { ...start(), kind: "external" };
  state.values = { source: "env:X", scheme: "" };
  assert.deepEqual(requestBody(state), { type: "external", source: "env:X", scheme: "" });
});

test("an edited secret keeps what the form does not show, and asks for no stored value", () => {
  const state = start({
    name: "api", type: "oauth2", status: {}, has_client_secret: true, client_id: "i", token_endpoint: "https://a.example/t",
    allowed_hosts: ["a.example"], compliance: { pkce: false }, dpop: true, client_of: null, issuer: null,
  });
  assert.deepEqual(requestBody(state), {
    type: "oauth2", client_id: "i", token_endpoint: "https://a.example/t", allowed_hosts: ["a.example"],
    compliance: { pkce: false }, dpop: true,
  });
});

test("a value that was typed for another grant is not sent", () => {
  const state = start();
  state.values.grant_type = "password";
  state.secrets = { password: "p" };
  assert.equal(requestBody(state).password, "p");
  state.values.grant_type = "client_credentials";
  assert.equal(requestBody(state).password, undefined);
});

test("the grant decides which rows there are", () => {
  const state = start();
  assert.ok(keys(state).includes("redirect_uri"));
  state.values.grant_type = "password";
  assert.ok(keys(state).includes("warning"));
  assert.ok(!keys(state).includes("redirect_uri"));
  state.values.grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  assert.ok(keys(state).includes("device_authorization_endpoint"));
});

test("a provider asks for its parameters before it fills in, and typed values stay", () => {
  let state = withProvider({ ...start(), name: "" }, "shop");
  assert.equal(state.name, "shop");
  assert.ok(keys(state).includes("parameter:shop"));
  assert.equal(canFillIn(state), false);
  state.parameters.shop = "mine";
  assert.equal(canFillIn(state), true);
  state.values.client_id = "typed";
  state = filledIn(state, { provider: "shop", client_id: "", scope: "read", token_endpoint: "https://mine.example/t" });
  assert.deepEqual([state.values.client_id, state.values.scope], ["typed", "read"]);
  assert.ok(!keys(state).includes("token_endpoint"));
});

test("a provider that takes a key makes the form that of its kind, and only the key is left", () => {
  const bank = { key: "bank", title: "Bank", type: "api_key", parameters: [], header_names: [], registration_page: "https://bank.example/keys", ends: "2027-04-30" };
  const fields = { type: "api_key", location: "header", prefix: "Token ", api_headers: { "X-Version": "1" }, allowed_hosts: ["api.bank.example"] };
  const began = initialState(null, {}, { ...known, providers: [shop, bank] });
  const state = filledIn(withProvider(began, "bank"), fields);
  assert.equal(state.kind, "api_key");
  const chosen = rowsOf(state).find((row) => row.key === "provider");
  assert.equal(chosen.options.bank, "Bank (API key)");
  assert.match(chosen.hint, /Ends on 2027-04-30.*bank\.example\/keys/);
  assert.ok(!keys(state).includes("api_headers"));
  state.secrets = { key: "k" };
  assert.deepEqual(requestBody(state), { ...fields, key: "k" });
});

test("a provider with several headers names them, so that only the values are left", () => {
  const pair = { key: "pair", title: "Pair", type: "headers", parameters: [], header_names: ["X-Id", "X-Key"] };
  const state = withProvider(initialState(null, {}, { ...known, providers: [pair] }), "pair");
  assert.equal(rowsOf(state).find((row) => row.key === "headers").value, "X-Id: \nX-Key: ");
  assert.equal(withProvider(state, "").secrets.headers, undefined);
});

test("discovery brings the endpoints and the offer to register", () => {
  const state = withDiscovery(start(), { fields: { token_endpoint: "https://a.example/t" }, hosts: ["a.example"], registration_endpoint: "https://a.example/r" });
  assert.ok(keys(state).includes("registering"));
  state.isRegistering = true;
  assert.ok(!keys(state).includes("client_id"));
  assert.equal(requestBody(state).registration_endpoint, "https://a.example/r");
});

test("a second discovery leaves nothing of the first but what the user has changed", () => {
  const first = { token_endpoint: "https://a.example/t", issuer: "https://a.example", resource: ["https://a.example/mcp"], authorization_parameters: { aud: "https://a.example" }, base_url: "https://a.example" };
  let state = withDiscovery(start(), { fields: first, hosts: ["a.example"], registration_endpoint: null });
  state = { ...state, values: { ...state.values, client_id: "mine", base_url: "https://mine.example" } };
  const { values } = withDiscovery(state, { fields: { token_endpoint: "https://b.example/t" }, hosts: ["b.example"], registration_endpoint: null });
  assert.equal(values.token_endpoint, "https://b.example/t");
  assert.deepEqual([values.client_id, values.base_url], ["mine", "https://mine.example"]);
  assert.deepEqual([values.issuer, values.resource, values.authorization_parameters], [undefined, undefined, undefined]);
});

test("header lines become an object; a name alone keeps its stored value", () => {
  assert.deepEqual(parsedHeaders("X-Key: a:b\n\nX-App"), { "X-Key": "a:b", "X-App": "" });
});

test("a link may fill in no value and no host", () => {
  assert.deepEqual(harmlessPrefill({ provider: "shop", client_secret: "x", allowed_hosts: "evil.example", scope: 1 }), { provider: "shop" });
});

test("the approval names every host that would get something", () => {
  const text = approvalText({ allowed_hosts: ["a.example"], jwks_uri: "https://j.example/", compliance: { refresh_endpoint: "https://r.example/x" }, source: "env:X" });
  for (const part of ["a.example", "j.example", "r.example", "env:X"]) assert.ok(text.includes(part), part);
});
