// What the views show, without a browser: the choices of the search field, the table's rows, the time line, the app's state.

import assert from "node:assert/strict";
import test from "node:test";

import { afterForm, expecting, initialAppState, settled, vaultsProblem } from "../../flowlet_jupyter/frontend/app_state.js";
import { choicesFor } from "../../flowlet_jupyter/frontend/provider_search.js";
import { tableRows } from "../../flowlet_jupyter/frontend/table_rows.js";
import { ago, expiryText, spanOfTime } from "../../flowlet_jupyter/frontend/time.js";
import { refusalOf, requestLine, statusChange, statusWords, timelineOf } from "../../flowlet_jupyter/frontend/timeline.js";
import { schema } from "./known.js";

const providers = [
  { key: "github", title: "GitHub", category: "development", parameters: [] },
  { key: "gitlab", title: "GitLab", parameters: [] },
  { key: "house", title: "The House", is_organisations: true, parameters: [] },
  { key: "maps", title: "Maps", type: "api_key", hosts: ["maps.example"], parameters: [] },
];
const titles = (query, used = []) => choicesFor(providers, schema, used, query).map((choice) => choice.title);

test("the organisation's and those in use come first, the general ones last", () => {
  assert.deepEqual(titles("", ["maps"]).slice(0, 4), ["Maps", "The House", "GitHub", "GitLab"]);
  assert.equal(titles("").at(-1), "A value kept elsewhere");
});

test("without a search the well-known ones come before the alphabet", () => {
  const more = [...providers, { key: "aardvark", title: "Aardvark", parameters: [] }];
  assert.deepEqual(choicesFor(more, schema, [], "").slice(0, 4).map((choice) => choice.title), ["The House", "GitHub", "GitLab", "Aardvark"]);
  assert.equal(choicesFor(more, schema, [], "a")[0].title, "Aardvark");
});

test("the search finds a title's beginning before its middle, by key and category too", () => {
  assert.deepEqual(titles("gitl")[0], "GitLab");
  assert.deepEqual(titles("hub")[0], "GitHub");
  assert.deepEqual(titles("development")[0], "GitHub");
  assert.equal(titles("nothing like it")[0], "Another OAuth2 provider");
  assert.doesNotThrow(() => titles("(*["));
});

test("a choice says the kind and the category", () => {
  assert.equal(choicesFor(providers, schema, [], "github")[0].note, "OAuth2 · development");
  assert.equal(choicesFor(providers, schema, [], "maps")[0].note, "API key");
});

const secret = (name, more = {}) => ({ name, type: "oauth2", allowed_hosts: [`${name}.example`], status: { state: "connected" }, ...more });
const order = { query: "", by: "name", isDescending: false };

test("the table is searched in what it shows, and sorted", () => {
  const secrets = [secret("b", { last_use: { time: 5 } }), secret("a", { provider: "github" }), { name: "broken", type: null, error: "damaged" }];
  const names = (more) => tableRows(secrets, providers, schema, { ...order, ...more }).map((row) => row.name);
  assert.deepEqual(names({}), ["a", "b", "broken"]);
  assert.deepEqual(names({ query: "GitHub" }), ["a"]);
  assert.deepEqual(names({ query: "b.example" }), ["b"]);
  assert.deepEqual(names({ by: "used" }), ["b", "a", "broken"]);
  assert.deepEqual(names({ isDescending: true }), ["broken", "b", "a"]);
});

test("a key has the provider whose hosts it goes to", () => {
  const key = secret("k", { type: "api_key", allowed_hosts: ["maps.example"] });
  assert.equal(tableRows([key], providers, schema, order)[0].provider, "Maps");
  assert.equal(tableRows([{ ...key, allowed_hosts: ["other.example"] }], providers, schema, order)[0].provider, "");
});

test("spans keep their width while they count", () => {
  assert.deepEqual([7190, 605, 9, -1, 172801].map(spanOfTime), ["1 h 59 min", "10 min 05 s", "09 s", "00 s", "2 days"]);
  assert.deepEqual([5, 60, 7300, 200000].map((passed) => ago(0, passed)), ["just now", "1 minute ago", "2 hours ago", "2 days ago"]);
});

test("an end is said once", () => {
  assert.equal(expiryText({ state: "connected", access_token: true, expires_at: 60 }, 0), "expires in 1 min 00 s");
  assert.equal(expiryText({ state: "expired", access_token: true, refresh_token: true, expires_at: 60 }, 400), "ended 5 minutes ago, it is refreshed on first use");
  assert.equal(expiryText({ state: "needs_authorization", access_token: true, expires_at: 60 }, 7300), "ended 2 hours ago");
  assert.equal(statusWords({ state: "expired", identity: "ann" }), "Connected as ann");
});

test("the time line says what is known, and no more", () => {
  const known = secret("a", { status: { state: "connected", access_token: true, refresh_token: true, obtained_at: 10, expires_at: 4000 }, last_use: { time: 20, method: "GET", host: "a.example", status: 200, notebook: "x.ipynb" } });
  assert.deepEqual(timelineOf(known).map((event) => event.tick(30)), ["just now", "just now by x.ipynb: GET a.example, 200", "expires in 1 h 06 min, then it is refreshed by itself"]);
  assert.deepEqual(timelineOf(secret("a", { status: { state: "no_token" } })), []);
});

test("the time line tells connecting from refreshing, where it is known", () => {
  const labels = (status) => timelineOf(secret("a", { status: { state: "connected", access_token: true, ...status } })).map((event) => event.label);
  assert.deepEqual(labels({ obtained_at: 10, connected_at: 10 }), ["Connected", "Access token"]);
  assert.deepEqual(labels({ obtained_at: 20, connected_at: 10 }), ["Connected", "Refreshed last", "Access token"]);
  assert.deepEqual(labels({ obtained_at: 20 }), ["Access token obtained", "Access token"]);
});

test("a token that was awaited settles the app, an older one does not", () => {
  const waiting = expecting(initialAppState({ kind: "manage", name: "a" }), { name: "a", status: { obtained_at: 1 } }, 0);
  assert.ok(settled(waiting, { name: "a", status: { obtained_at: 1 } }, 5).expected);
  assert.equal(settled(waiting, { name: "a", status: { obtained_at: 2 } }, 5).expected, null);
  assert.equal(settled(waiting, { name: "a", status: { obtained_at: 2 } }, 5).ended, null);
});

test("a token that does not come within ten minutes is awaited no longer, and that is said until one is requested again", () => {
  const waiting = expecting(initialAppState({ kind: "manage", name: "a" }), { name: "a", status: {} }, 0);
  const late = settled(waiting, { name: "a", status: {} }, 11 * 60 * 1000);
  assert.equal(late.expected, null);
  assert.match(late.ended.text, /ten minutes/);
  assert.equal(expecting(late, { name: "a", status: {} }, 12 * 60 * 1000).ended, null);
});

test("a refusal in the other tab ends the waiting with its reason, one of before does not", () => {
  const refused = (time) => ({ name: "a", status: {}, refusal: { time, message: "Access was not allowed." } });
  const waiting = expecting(initialAppState({ kind: "manage", name: "a" }), refused(1), 0);
  assert.ok(settled(waiting, refused(1), 5).expected);
  assert.ok(settled(waiting, { name: "a", status: {}, refusal: null }, 5).expected);
  assert.deepEqual(settled(waiting, refused(2), 5).ended, { name: "a", text: "Access was not allowed." });
});

test("a change of the status is read out once, and no refreshing is", () => {
  const connected = { state: "connected", identity: "ann", connected_at: 5 };
  assert.equal(statusChange("a", { state: "no_token" }, connected), "a is now connected, as ann.");
  assert.equal(statusChange("a", connected, { ...connected, obtained_at: 9 }), "");
  assert.equal(statusChange("a", connected, { ...connected, connected_at: 9 }), "a is now connected, as ann.");
  assert.equal(statusChange("a", connected, { state: "no_token" }), "a: No access token yet.");
});

test("a cell's line is there once a request gets through, with a name that the line can hold", () => {
  const line = (name, state = "connected", url = "/users/me") => requestLine(secret(name, { status: { state }, example_url: url }));
  assert.equal(line("twitter"), "%flowlet_request /users/me --secret twitter");
  assert.equal(line("my key"), '%flowlet_request /users/me --secret "my key"');
  assert.deepEqual([line('a"b'), line("{{x}}"), line("a", "no_token"), line("a", "connected", null)], ["", "", "", ""]);
});

test("after the form its secret is managed, or the table is shown", () => {
  const editing = { ...initialAppState({ kind: "form", name: "" }), isEditing: true };
  assert.deepEqual(afterForm(editing, null, undefined, 0).route, { kind: "table", name: "" });
  assert.equal(afterForm(editing, "a", "browser", 0).expected.name, "a");
  assert.equal(afterForm(editing, "a", "direct", 0).starting, "a");
  assert.equal(afterForm(editing, "a", "none", 0).expected, null);
});

test("two vaults are said", () => {
  const state = { ...initialAppState({ kind: "table", name: "" }), serverVault: { folder: "/a" }, kernelVault: "/b" };
  assert.match(vaultsProblem(state), /\/a.*\/b/);
  assert.equal(vaultsProblem({ ...state, kernelVault: "/a" }), "");
});

test("a refusal is said until a token came after it", () => {
  const refusal = { time: 50, message: "Access was not allowed." };
  assert.equal(refusalOf(secret("a", { refusal })), refusal);
  assert.equal(refusalOf(secret("a", { refusal, status: { state: "connected", obtained_at: 40 } })), refusal);
  assert.equal(refusalOf(secret("a", { refusal, status: { state: "connected", obtained_at: 60 } })), null);
  assert.equal(refusalOf(secret("a")), null);
  assert.deepEqual(tableRows([secret("a", { refusal }), secret("b")], providers, schema, { ...order, query: "not allowed" }).map((row) => row.name), ["a"]);
});
