// The arithmetic of the response's views: which rows are drawn, where keys lead, what a line says.

import assert from "node:assert/strict";
import test from "node:test";

import { countText, missingChunks, movedInGrid, movedInTabs, nodeText, rowsInSight } from "../../flowlet_jupyter/frontend/response_rows.js";

test("of a hundred thousand rows only those in sight are drawn", () => {
  const { first, end } = rowsInSight(50_000 * 25, 500, 25, 100_000);
  assert.ok(first <= 50_000 && end >= 50_020 && end - first < 50);
  assert.deepEqual(rowsInSight(0, 500, 25, 3), { first: 0, end: 3 });
  assert.equal(rowsInSight(99_999 * 25, 500, 25, 100_000).end, 100_000);
  assert.deepEqual(rowsInSight(1_000_000, 500, 25, 10), { first: 10, end: 10 }); // filtered while scrolled far down
});

test("rows are asked for once, by the hundred", () => {
  assert.deepEqual(missingChunks(95, 205, () => false), [0, 100, 200]);
  assert.deepEqual(missingChunks(95, 205, (row) => row < 200), [200]);
  assert.deepEqual(missingChunks(5, 10, () => true), []);
});

test("arrows, pages and ends stay inside the grid; the head is above the first row", () => {
  const grid = { rows: 10, columns: 3, page: 4 };
  const moved = (key, from, more = {}) => movedInGrid(from, { key, ...more }, grid);
  assert.deepEqual(moved("ArrowUp", { row: 0, column: 1 }), { row: -1, column: 1 });
  assert.deepEqual(moved("ArrowUp", { row: -1, column: 1 }), { row: -1, column: 1 });
  assert.deepEqual(moved("ArrowRight", { row: 0, column: 2 }), { row: 0, column: 2 });
  assert.deepEqual(moved("PageDown", { row: 8, column: 0 }), { row: 9, column: 0 });
  assert.deepEqual(moved("PageUp", { row: 2, column: 0 }), { row: 0, column: 0 });
  assert.deepEqual(moved("End", { row: 2, column: 0 }, { ctrlKey: true }), { row: 9, column: 2 });
  assert.equal(moved("a", { row: 2, column: 0 }), null);
  assert.deepEqual(movedInGrid({ row: 0, column: 1 }, { key: "ArrowLeft" }, { ...grid, isRightToLeft: true }), { row: 0, column: 2 });
});

test("tabs go round by arrow keys, the other way where one reads from right to left", () => {
  assert.deepEqual(["ArrowRight", "ArrowLeft", "Home", "End", "x"].map((key) => movedInTabs(0, key, 5)), [1, 4, 0, 4, null]);
  assert.equal(movedInTabs(0, "ArrowLeft", 5, true), 1);
});

test("what a filter leaves is counted against all", () => {
  assert.equal(countText(700, 700, "data"), "700 records of data");
  assert.equal(countText(3, 12000, ""), "3 of 12,000 records");
});

test("a line of the tree says what its value is", () => {
  assert.equal(nodeText({ type: "string", text: "a", more: 1200 }), '"a" … 1,200 more characters"'.slice(0, -1));
  assert.equal(nodeText({ type: "object", size: 0 }), "{}");
  assert.equal(nodeText({ type: "array", size: 3 }), "[3]");
  assert.equal(nodeText({ type: "number", text: "1.0" }), "1.0");
});
