// The form's state without a browser: which rows it shows, and what it sends.

import assert from "node:assert/strict";
import test from "node:test";

import { parsedHeaders, requestBody } from "../../flowlet_jupyter/frontend/form_request.js";
import { detailsSummary, formRows, requestOf, sectionsOf } from "../../flowlet_jupyter/frontend/form_sections.js";
import {
  canFillIn, filledIn, initialState, withChoice, withDiscovery, withPasted,
} from "../../flowlet_jupyter/frontend/form_state.js";
import { known } from "./known.js";
import { approvalText, harmlessPrefill } from "../../flowlet_jupyter/frontend/required.js";

const start = (secret = null, prefill = {}) => initialState(secret, prefill, known);
const keys = (state) => formRows(state).map((row) => row.key);

test("a kind's rows are those of the schema", () => {
  const state = { ...start(), kind: "api_key" };
  assert.deepEqual(keys(state), ["key", "location", "base_url", "allowed_hosts", "openapi", "prefix"]);
  assert.equal(formRows(state).find((row) => row.key === "location").value, "header");
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
  let state = withChoice(start(), { kind: "oauth2", provider: "shop" });
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

const steps = (state) => sectionsOf(state).map((section) => [section.key, ...section.rows.map((row) => row.key)]);

test("of a catalogued provider, only what is the user's to fill in is open", () => {
  const state = filledIn(withChoice(start(), { kind: "oauth2", provider: "bird" }), {
    provider: "bird", allowed_hosts: ["api.bird.example", "www.bird.example"], scope: "a b c", base_url: "https://api.bird.example/1",
  });
  assert.deepEqual(steps(state).slice(0, 3), [["app"], ["redirect", "redirect_uri"], ["credentials", "client_id", "client_secret"]]);
  assert.equal(sectionsOf(state)[0].link, "https://bird.example/apps");
  assert.deepEqual(steps(state)[3].slice(0, 4), ["details", "grant_type", "scope", "base_url"]);
  assert.equal(detailsSummary(state), "api.bird.example, www.bird.example · PKCE · scopes: 3");
});

test("a public client has no client secret to paste", () => {
  const state = filledIn(withChoice(start(), { kind: "oauth2", provider: "bird" }), { provider: "bird", token_endpoint_auth_method: "none" });
  assert.ok(!keys(state).includes("client_secret"));
});

test("the details of a key say where it goes", () => {
  const state = { ...start(), kind: "api_key", values: { base_url: "https://api.example/v1", parameter: "key", location: "query" } };
  assert.equal(detailsSummary(state), "api.example · key in the query");
});

test("a name is suggested until one is typed, and never one that is taken", () => {
  const chosen = withChoice({ ...start(), names: ["bird", "bird-2"] }, { kind: "oauth2", provider: "bird" });
  assert.equal(chosen.name, "bird-3");
  const typed = withChoice({ ...start(), name: "mine", isNameTyped: true }, { kind: "oauth2", provider: "bird" });
  assert.equal(typed.name, "mine");
});

test("saving requests a token in the way of the grant, where there is none yet", () => {
  const state = start();
  assert.equal(requestOf(state), "browser");
  state.values.grant_type = "urn:ietf:params:oauth:grant-type:device_code";
  assert.equal(requestOf(state), "device");
  state.values.grant_type = "client_credentials";
  assert.equal(requestOf(state), "direct");
  const edited = (status) => requestOf(start({ name: "a", type: "oauth2", status }));
  assert.equal(edited({ state: "connected", access_token: true }), "none");
  assert.equal(edited({ state: "no_token", access_token: false }), "browser");
  assert.equal(requestOf({ ...state, kind: "api_key" }), "none");
});

test("what was pasted fills in the client, but moves no endpoint of the catalogue", () => {
  const pasted = { values: { client_id: "i", token_endpoint: "https://evil.example/" }, secrets: { client_secret: "s", key: "k" }, from: "" };
  const open = withPasted(start(), pasted);
  assert.deepEqual(open.state.values, { client_id: "i", token_endpoint: "https://evil.example/" });
  assert.deepEqual(open.state.secrets, { client_secret: "s" });
  const closed = withPasted(withChoice(start(), { kind: "oauth2", provider: "bird" }), pasted);
  assert.deepEqual([closed.state.values.client_id, closed.state.values.token_endpoint], ["i", undefined]);
});

test("what stands before a pasted name is the secret's, where nothing says more, until one is typed", () => {
  const pasted = { values: { client_id: "i", token_endpoint: "http://127.0.0.1:8754/t" }, secrets: {}, from: "", named: "bird_watch" };
  const { state } = withPasted(start(), pasted);
  assert.equal(state.name, "bird-watch");
  assert.equal(withPasted({ ...state, names: ["bird-watch"] }, pasted).state.name, "bird-watch-2");
  assert.equal(withPasted(start(), { ...pasted, values: { token_endpoint: "https://id.shop.example/t" } }).state.name, "shop");
  assert.equal(withPasted({ ...start(), name: "mine", isNameTyped: true }, pasted).state.name, "mine");
});

test("a provider that takes a key makes the form that of its kind, and only the key is left", () => {
  const bank = { key: "bank", title: "Bank", type: "api_key", parameters: [], header_names: [], registration_page: "https://bank.example/keys" };
  const fields = { type: "api_key", location: "header", prefix: "Token ", api_headers: { "X-Version": "1" }, allowed_hosts: ["api.bank.example"] };
  const began = initialState(null, {}, { ...known, providers: [bank] });
  const state = filledIn(withChoice(began, { kind: "api_key", provider: "bank" }), fields);
  assert.deepEqual(steps(state).slice(0, 2), [["app"], ["credentials", "key"]]);
  assert.equal(sectionsOf(state)[0].link, "https://bank.example/keys");
  assert.ok(!keys(state).includes("api_headers"));
  state.secrets = { key: "k" };
  assert.deepEqual(requestBody(state), { ...fields, key: "k" });
});

test("a provider with several headers names them, so that only the values are left", () => {
  const pair = { key: "pair", title: "Pair", type: "headers", parameters: [], header_names: ["X-Id", "X-Key"] };
  const state = withChoice(initialState(null, {}, { ...known, providers: [pair] }), { kind: "headers", provider: "pair" });
  assert.equal(formRows(state).find((row) => row.key === "headers").value, "X-Id: \nX-Key: ");
});

test("where the server finds provider and client, nothing but the parameter is asked for", () => {
  const sky = { key: "sky", title: "Sky", grant_type: "authorization_code", client_id: "", parameters: [{ name: "handle", label: "Handle", default: "" }] };
  const chosen = (/** @type {boolean} */ isDiscovered) => withChoice({ ...start(), providers: [{ ...sky, is_discovered: isDiscovered }] }, { kind: "oauth2", provider: "sky" });
  const asked = (/** @type {any} */ state) => sectionsOf(state).filter((section) => section.key !== "details").flatMap((section) => section.rows.map((row) => row.key));
  assert.deepEqual(asked(chosen(true)), ["parameter:handle"]);
  assert.ok(asked(chosen(false)).includes("client_id"));
});
