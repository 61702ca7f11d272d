// What the views are built of: text stays text, a link to elsewhere tells nothing, and a change carries Jupyter's XSRF token.

import assert from "node:assert/strict";
import test from "node:test";

import { element, outwardLink } from "../../flowlet_jupyter/frontend/dom.js";
import { call, secretPath } from "../../flowlet_jupyter/frontend/server.js";

/** As much of a document as the modules ask for; an element notes whether it was ever given markup. */
class Element {
  constructor(tag) {
    Object.assign(this, { tag, attributes: {}, children: [], listeners: {}, markup: false });
  }
  setAttribute(name, value) { this.attributes[name] = value; }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  append(...children) { this.children.push(...children); }
  set innerHTML(_text) { this.markup = true; }
  set outerHTML(_text) { this.markup = true; }
  insertAdjacentHTML() { this.markup = true; }
}

const hostile = ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg/onload=alert(1)>", "{{7*7}}", "&lt;b&gt;"];

test("what a provider says is appended as text, whatever it looks like", () => {
  globalThis.document = { createElement: (tag) => new Element(tag) };
  for (const text of hostile) {
    const made = element("p", { title: text, class: text }, text, null, element("b", {}, text));
    assert.equal(made.markup, false);
    assert.equal(made.children[0], text);
    assert.deepEqual(made.children[1].children, [text]);
    assert.equal(made.attributes.title, text);
  }
});

test("a text is no listener: only a function can be one", () => {
  globalThis.document = { createElement: (tag) => new Element(tag) };
  const made = element("button", { onclick: () => 1 }, "press");
  assert.deepEqual(Object.keys(made.listeners), ["click"]);
  assert.equal(made.attributes.onclick, undefined);
});

test("a page elsewhere learns neither where its visitor came from nor gets hold of the window", () => {
  globalThis.document = { createElement: (tag) => new Element(tag) };
  const { attributes } = outwardLink("https://provider.example/", "the provider");
  assert.equal(attributes.target, "_blank");
  assert.deepEqual(attributes.rel.split(" ").sort(), ["noopener", "noreferrer"]);
});

test("a request carries the XSRF token and this site's cookies only", async () => {
  const config = { textContent: JSON.stringify({ baseUrl: "/user/ann/" }) };
  globalThis.document = { cookie: "a=b; _xsrf=tok%7Cen; c=d", getElementById: () => config };
  globalThis.location = { origin: "https://hub.example" };
  let asked;
  globalThis.fetch = async (url, options) => {
    asked = { url, ...options };
    return { headers: new Headers({ "Content-Type": "application/json" }), status: 200, ok: true, json: async () => ({}) };
  };
  await call("PUT", secretPath("../../x?y#z/é"), { body: { a: 1 } });
  assert.equal(asked.url, "https://hub.example/user/ann/flowlet/api/secrets/..%2F..%2Fx%3Fy%23z%2F%C3%A9");
  assert.equal(asked.headers["X-XSRFToken"], "tok|en");
  assert.equal(asked.credentials, "same-origin");
  assert.equal(asked.cache, "no-store");
});
