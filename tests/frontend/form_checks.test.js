// The cheap checks of the form: a mistake is named, what is right is left alone, and all come at once.

import assert from "node:assert/strict";
import test from "node:test";

import { allProblems, fieldProblem, mistakesSummary, urlProblem } from "../../flowlet_jupyter/frontend/form_checks.js";
import { initialState } from "../../flowlet_jupyter/frontend/form_state.js";
import { known } from "./known.js";

const start = (more = {}) => ({ ...initialState(null, {}, known), isChoosing: false, ...more });

for (const url of ["https://a.example/t", "http://localhost:8/t", "http://127.0.0.1/t", "http://[::1]:8/"]) {
  test(`an endpoint may be ${url}`, () => assert.equal(urlProblem(url), ""));
}
for (const url of ["a.example", "http://a.example/", "ftp://a.example", "https://u:p@a.example/", "https://a.example/#x", "https://"]) {
  test(`an endpoint may not be ${url}`, () => assert.notEqual(urlProblem(url), ""));
}

test("this server's redirect URI is no endpoint", () => {
  assert.match(fieldProblem(start({ values: { authorization_endpoint: known.redirectUri } }), "authorization_endpoint"), /at the provider, not here/);
});

test("hosts are checked one by one", () => {
  assert.equal(fieldProblem(start({ values: { allowed_hosts: "a.example, *.b.example 127.0.0.1:8 [::1]:9" } }), "allowed_hosts"), "");
  assert.match(fieldProblem(start({ values: { allowed_hosts: "a.example, b/c" } }), "allowed_hosts"), /'b\/c' is not a host/);
});

test("a name that is taken is said while it is typed", () => {
  assert.match(fieldProblem(start({ name: "x", names: ["x"] }), "name"), /already/);
  assert.equal(fieldProblem(start({ name: "x", names: ["x"], isNew: false }), "name"), "");
  assert.match(fieldProblem(start({ name: "-x" }), "name"), /starts with/);
});

test("all that is wrong or missing comes at once", () => {
  const problems = allProblems(start({ values: { token_endpoint: "http://a.example/", client_id: "two words" } }));
  assert.deepEqual(Object.keys(problems).sort(), ["authorization_endpoint", "client_id", "name", "token_endpoint"]);
});

test("an edited secret may leave a stored value empty", () => {
  const secret = { name: "x", type: "api_key", status: {}, has_key: true };
  assert.deepEqual(allProblems({ ...initialState(secret, {}, known) }), {});
});

test("a key needs somewhere to go, and its redirect URI is not that", () => {
  const key = (values) => allProblems({ ...start({ name: "x", values, secrets: { key: "k" } }), kind: "api_key" });
  assert.match(key({}).base_url, /Where may it be sent/);
  assert.deepEqual(key({ allowed_hosts: "a.example" }), {});
  assert.match(key({ allowed_hosts: known.redirectUri }).allowed_hosts, /at the provider, not here/);
});

test("a client authentication that takes a client secret misses it at once", () => {
  const values = { authorization_endpoint: "https://a.example/a", token_endpoint: "https://a.example/t", client_id: "i", token_endpoint_auth_method: "client_secret_basic" };
  assert.match(allProblems(start({ name: "x", values })).client_secret, /A public client has none/);
  assert.deepEqual(allProblems(start({ name: "x", values, secrets: { client_secret: "s" } })), {});
});

test("mistakes are summed up in one sentence", () => {
  assert.deepEqual([0, 1, 3].map(mistakesSummary), ["", "One field needs a change.", "3 fields need a change."]);
});
