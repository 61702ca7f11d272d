// What was pasted: understood where its form is clear, and left alone where it is not.

import assert from "node:assert/strict";
import test from "node:test";

import { hostsOnly, kindOf, understood } from "../../flowlet_jupyter/frontend/pasted.js";
import { shellWords } from "../../flowlet_jupyter/frontend/pasted_command.js";

const file = { client_id: "i.apps.example", project_id: "p", auth_uri: "https://a.example/auth", token_uri: "https://a.example/token", client_secret: "s", redirect_uris: ["http://localhost"] };

for (const [kind, content] of Object.entries({ web: { web: file }, installed: { installed: file }, flat: file })) {
  test(`a client_secret.json (${kind}) gives the client and its endpoints`, () => {
    const { values, secrets } = understood(JSON.stringify(content, null, 2));
    assert.deepEqual(values, { client_id: "i.apps.example", authorization_endpoint: "https://a.example/auth", token_endpoint: "https://a.example/token" });
    assert.deepEqual(secrets, { client_secret: "s" });
  });
}

test("a service account's key file is a JWT grant", () => {
  const { values, secrets } = understood(JSON.stringify({ type: "service_account", client_email: "a@b.example", private_key: "PEM", private_key_id: "k", token_uri: "https://t.example/" }));
  assert.equal(values.grant_type, "urn:ietf:params:oauth:grant-type:jwt-bearer");
  assert.deepEqual([values.client_id, values.private_key_id, secrets.private_key], ["a@b.example", "k", "PEM"]);
});

test("a Postman environment", () => {
  const { values, secrets } = understood(JSON.stringify({ name: "dev", values: [{ key: "clientId", value: "i" }, { key: "client_secret", value: "s" }, { key: "n", value: 1 }] }));
  assert.deepEqual([values, secrets], [{ client_id: "i" }, { client_secret: "s" }]);
});

test(".env lines, with export, quotes and remarks", () => {
  const { values, secrets } = understood('# app\nexport X_CLIENT_ID="i#1"  # mine\nX_CLIENT_SECRET=s=\nOTHER=1');
  assert.deepEqual([values, secrets], [{ client_id: "i#1" }, { client_secret: "s=" }]);
  assert.deepEqual(understood("OPENAI_API_KEY='sk-1'").secrets, { key: "sk-1" });
});

test("a curl command gives the key, its header and the API", () => {
  const { values, secrets } = understood("curl 'https://api.example/v1/me?x=1' \\\n  -H 'Accept: a/b' -H \"X-Api-Key: k:1\"");
  assert.deepEqual([values, secrets], [{ base_url: "https://api.example", parameter: "X-Api-Key", location: "header" }, { key: "k:1" }]);
  const bearer = understood("curl https://api.example -H 'Authorization: Bearer t'");
  assert.deepEqual([bearer.values.prefix, bearer.secrets.key], ["Bearer ", "t"]);
});

test("a token request as curl gives the client and its grant", () => {
  const { values, secrets } = understood("curl -X POST https://id.example/oauth/token -u 'i:s:t' -d grant_type=client_credentials --data-urlencode 'scope=a b'");
  assert.deepEqual([values, secrets], [{ token_endpoint: "https://id.example/oauth/token", client_id: "i", scope: "a b", grant_type: "client_credentials" }, { client_secret: "s:t" }]);
});

test("a curl command with a user, or a key in its query", () => {
  const basic = understood("curl -u sk_1: https://api.example/v1");
  assert.deepEqual([kindOf(basic), basic.values.username, basic.secrets.password], ["basic", "sk_1", ""]);
  const query = understood("curl 'https://api.example/v1?appid=k1&q=x' --compressed");
  assert.deepEqual([kindOf(query), query.values.parameter, query.values.location, query.secrets.key], ["api_key", "appid", "query", "k1"]);
});

test("a command is split as a shell splits it", () => {
  assert.deepEqual(shellWords("curl 'a\\b' \"c \\\" d\" e\\ f $'g\\'h' i'j'\"k\""), ["curl", "a\\b", "c \" d", "e f", "g'h", "ijk"]);
});

test("an authorization URL gives the client, and a callback's gives nothing", () => {
  const { values } = understood("https://id.example/authorize?response_type=code&client_id=i&scope=a%20b&redirect_uri=x");
  assert.deepEqual(values, { authorization_endpoint: "https://id.example/authorize", client_id: "i", scope: "a b" });
  assert.equal(understood("https://a.example/callback?client_id=i&code=c"), null);
});

test("lines as a page or a YAML file has them, and what only stands for a value is left out", () => {
  const { values, secrets } = understood("Client ID: i1\nClient Secret: s1\nNote: x");
  assert.deepEqual([values, secrets], [{ client_id: "i1" }, { client_secret: "s1" }]);
  assert.equal(understood("key: of-one-line"), null);
  assert.deepEqual(understood("CLIENT_ID=i\nCLIENT_SECRET=<your secret>").secrets, {});
});

test("what stands before a known name is the provider's", () => {
  assert.equal(understood("SPOTIFY_CLIENT_ID=i\nSPOTIFY_CLIENT_SECRET=s").named, "spotify");
});

for (const text of ["sk-12345", "abc==", "a value = with words", "{broken", "{}", "[]", "curl https://x.example", "curl", "", "null", "https://x.example/?a=b", "{\"values\": null}"]) {
  test(`left as it is: ${text}`, () => assert.equal(understood(text), null));
}

test("a URL among the hosts becomes its host", () => {
  assert.equal(hostsOnly("https://api.example/v1/x, *.b.example c.example:8443 d.example/path http://127.0.0.1:8000/"), "api.example, *.b.example c.example:8443 d.example 127.0.0.1:8000");
});

test("this server's own redirect URI is no host", () => {
  assert.equal(hostsOnly("http://localhost:8888/flowlet/callback"), "http://localhost:8888/flowlet/callback");
});
