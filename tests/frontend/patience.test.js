// What a view says while its kernel owes a reply.

import assert from "node:assert/strict";
import test from "node:test";

import { patiently } from "../../flowlet_jupyter/frontend/response_patience.js";

/** A kernel that replies when told to, and what the view said. */
function kernel() {
  const said = [];
  const replies = [];
  const ask = patiently(() => new Promise((resolve, reject) => { replies.push({ resolve, reject }); }), (text) => said.push(text));
  return { ask, said, replies };
}

test("a kernel that never replies is told of after a while, with what to do", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { ask, said } = kernel();
  ask({});
  t.mock.timers.tick(1_400);
  assert.deepEqual(said, []);
  t.mock.timers.tick(200);
  assert.match(said.at(-1), /Waiting/);
  t.mock.timers.tick(10_000);
  ask({}); // whoever presses again hears of it no later
  t.mock.timers.tick(8_500);
  assert.match(said.at(-1), /not replied.*Interrupt.*restart/);
  assert.equal(said.length, 2);
});

test("a reply, or a refusal, takes back what was said", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  for (const outcome of ["resolve", "reject"]) {
    const { ask, said, replies } = kernel();
    const asked = ask({}).catch(() => {});
    t.mock.timers.tick(30_000);
    replies[0][outcome](new Error("gone"));
    await asked;
    assert.equal(said.at(-1), "");
    t.mock.timers.tick(60_000);
    assert.equal(said.at(-1), ""); // nothing is owed
  }
});

test("while one reply comes after the other the kernel lives", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { ask, said, replies } = kernel();
  const first = ask({});
  ask({});
  t.mock.timers.tick(15_000);
  replies[0].resolve({});
  await first;
  t.mock.timers.tick(15_000);
  assert.match(said.at(-1), /Waiting/);
  t.mock.timers.tick(6_000);
  assert.match(said.at(-1), /not replied/);
});
