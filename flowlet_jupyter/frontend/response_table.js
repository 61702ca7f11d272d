// @ts-check
// The records as a grid: sorted and filtered by the kernel over all of them, drawn only where they are in sight.

import { button, element } from "./dom.js";
import { chosenBar, copyButtons } from "./response_copy.js";
import { CHUNK, countText, missingChunks, movedInGrid, rowsInSight } from "./response_rows.js";

const MAX_PIXELS = 8_000_000; // a browser's element cannot be of any height

/** @typedef {(question: Record<string, any>) => Promise<any>} Ask */

/** @param {Ask} ask @param {string} [label] what the rows are */
export async function tableView(ask, label = "Records") {
  /** @type {{sort: string | null, is_descending: boolean, filters: Record<string, string>}} */
  const order = { sort: null, is_descending: false, filters: {} };
  const first = await ask({ kind: "rows", start: 0, count: CHUNK, ...order });
  /** @type {{name: string, type: string}[]} */
  const columns = first.columns;
  /** @type {Map<number, [number, (string | null)[]]>} */
  const rows = new Map();
  /** @type {Set<number>} */
  const asked = new Set();
  let { matching } = first;
  let version = 0;
  let rowHeight = 25;
  let current = { row: 0, column: 0 };
  let wantsFocus = false;
  let isChoosing = false;

  const status = element("span", { role: "status", class: "fr-status" });
  const problem = element("p", { class: "fr-problem", role: "alert" });
  const chosen = chosenBar();
  const above = spacer();
  const below = spacer();
  const body = element("tbody", {}, above, below);
  /** @type {Map<number, {made: HTMLElement, known: any}>} */
  const drawnRows = new Map();
  const head = element("tr", { "aria-rowindex": "1" }, element("th", { scope: "col", class: "fr-number" }, element("span", { class: "fr-unseen" }, "Number")));
  const filterRow = element("tr", { hidden: true, class: "fr-filters" }, element("td", { class: "fr-number" }));
  const table = element("table", { role: "grid", "aria-label": `${label}${first.path ? ` of ${first.path}` : ""}`, "aria-colcount": String(columns.length + 1) },
    element("thead", {}, head, filterRow), body);
  const scroller = element("div", { class: "fr-scroll", tabindex: "-1", onscroll: () => requestAnimationFrame(draw) }, table);

  for (const [index, { name, type }] of columns.entries()) {
    head.append(element("th", { scope: "col", "aria-sort": "none" }, button("", () => sortBy(name), { class: "fr-sort", tabindex: "-1", "data-column": String(index) })));
    const label = /** @type {Element} */ (head.lastElementChild?.firstElementChild);
    label.append(element("bdi", {}, name), element("span", { class: "fr-type" }, ` ${type}`));
    filterRow.append(element("td", {}, element("input", { type: "search", "aria-label": `Filter ${name}`, title: "text, >5, <=2024-01-31, =ann, !=x",
      oninput: (/** @type {any} */ event) => filterBy(name, event.target.value) })));
  }
  const search = element("input", { type: "search", class: "fr-search", placeholder: "Search all rows", "aria-label": "Search all rows", oninput: () => filterBy("", search.value) });
  const toggle = button("Filters", () => {
    filterRow.hidden = !filterRow.hidden;
    toggle.setAttribute("aria-expanded", String(!filterRow.hidden));
    if (!filterRow.hidden) filterRow.querySelector("input")?.focus();
    else if (Object.keys(order.filters).some((name) => name)) {
      for (const input of filterRow.querySelectorAll("input")) input.value = "";
      order.filters = { "": search.value };
      restart();
    }
  }, { "aria-expanded": "false" });
  const tools = element("div", { class: "fr-tools" }, search, toggle, status);
  const copies = copyButtons({
    "Copy table": async () => (await ask({ kind: "table", as: "tsv", ...order })).text,
    "Copy as JSON": async () => (await ask({ kind: "table", as: "json", ...order })).text,
    [`Copy ${first.frame}`]: async () => first.frame,
  });

  /** @param {string} name */
  function sortBy(name) {
    current = { row: -1, column: columns.findIndex((column) => column.name === name) };
    if (order.sort !== name) Object.assign(order, { sort: name, is_descending: false });
    else if (!order.is_descending) order.is_descending = true;
    else Object.assign(order, { sort: null, is_descending: false });
    for (const [index, column] of columns.entries()) {
      head.children[index + 1].setAttribute("aria-sort", column.name !== order.sort ? "none" : order.is_descending ? "descending" : "ascending");
    }
    restart();
  }

  let typing = 0;
  /** @param {string} name @param {string} text */
  function filterBy(name, text) {
    order.filters = { ...order.filters, [name]: text };
    clearTimeout(typing);
    typing = window.setTimeout(restart, 200);
  }

  function restart() {
    version += 1;
    rows.clear();
    asked.clear();
    scroller.scrollTop = 0;
    load(0);
  }

  /** @param {number} start */
  async function load(start) {
    if (asked.has(start)) return;
    asked.add(start);
    const mine = version;
    try {
      const reply = await ask({ kind: "rows", start, count: CHUNK, ...order });
      if (mine !== version) return;
      take(reply);
    } catch (error) {
      if (mine === version) {
        asked.delete(start);
        problem.textContent = /** @type {Error} */ (error).message;
      }
    }
  }

  /** @param {any} reply */
  function take(reply) {
    problem.textContent = "";
    matching = reply.matching;
    for (const [index, row] of reply.rows.entries()) rows.set(reply.start + index, row);
    const left = reply.left_out ? `, ${reply.left_out} more columns: ${first.frame}` : "";
    const beyond = matching * rowHeight > MAX_PIXELS ? `; the first ${Math.floor(MAX_PIXELS / rowHeight).toLocaleString("en")} can be scrolled to` : "";
    const sorted = order.sort === null ? "" : `, by ${order.sort}${order.is_descending ? ", descending" : ""}`;
    status.textContent = `${countText(matching, reply.total, reply.path, label.toLowerCase())}${reply.shape ? ` (${reply.shape})` : ""}${sorted}${left}${beyond}`;
    table.setAttribute("aria-rowcount", String(matching + 1));
    current.row = Math.min(current.row, matching - 1);
    draw();
    if (isChoosing) choose();
  }

  function draw() {
    const total = Math.min(matching, Math.floor(MAX_PIXELS / rowHeight));
    const sight = rowsInSight(scroller.scrollTop, scroller.clientHeight || 600, rowHeight, total);
    for (const start of missingChunks(sight.first, sight.end, (row) => rows.has(row))) load(start);
    const hadFocus = wantsFocus || body.contains(document.activeElement);
    setHeight(above, sight.first);
    setHeight(below, total - sight.end);
    drawRows(sight);
    const measured = /** @type {HTMLElement | null} */ (body.querySelector(".fr-row"))?.offsetHeight;
    if (measured && Math.abs(measured - rowHeight) > 0.5) {
      rowHeight = measured;
      requestAnimationFrame(draw);
    }
    holdWidths();
    for (const sort of head.querySelectorAll(".fr-sort")) sort.setAttribute("tabindex", "-1");
    for (const cell of body.querySelectorAll('[tabindex="0"]')) cell.setAttribute("tabindex", "-1");
    const focused = cellAt(current) ?? cellAt({ row: -1, column: current.column });
    focused?.setAttribute("tabindex", "0");
    if (hadFocus) {
      const target = cellAt(current);
      if (target) target.focus({ preventScroll: true });
      else scroller.focus({ preventScroll: true });
      wantsFocus = !target && wantsFocus;
    }
  }

  function spacer() {
    return element("tr", { "aria-hidden": "true", class: "fr-space" }, element("td", { colspan: String(columns.length + 1) }));
  }

  /** @param {HTMLElement} space @param {number} count of rows */
  function setHeight(space, count) {
    /** @type {HTMLElement} */ (space.firstElementChild).style.height = `${Math.max(count, 0) * rowHeight}px`;
  }

  /**
   * A row that is there and as it should be stays where it is: a click on one that is replaced meanwhile would be lost.
   * @param {{first: number, end: number}} sight
   */
  function drawRows({ first, end }) {
    for (const [row, { made, known }] of drawnRows) {
      if (row >= first && row < end && rows.get(row) === known) continue;
      made.remove();
      drawnRows.delete(row);
    }
    /** @type {HTMLElement} */
    let next = below;
    for (let row = end - 1; row >= first; row -= 1) {
      const made = drawnRows.get(row)?.made ?? rowOf(row);
      if (!drawnRows.has(row)) {
        drawnRows.set(row, { made, known: rows.get(row) });
        next.before(made);
      }
      next = made;
    }
  }

  /** @param {number} row */
  function rowOf(row) {
    const known = rows.get(row);
    const made = element("tr", { "aria-rowindex": String(row + 2), class: "fr-row" }, element("th", { scope: "row", class: "fr-number" }, String(known ? known[0] : row)));
    for (const [index, { type }] of columns.entries()) {
      const text = known?.[1][index];
      const isNumber = type === "number" || type === "whole";
      made.append(element("td", { role: "gridcell", tabindex: "-1", "data-row": String(row), "data-column": String(index), class: isNumber ? "fr-right" : null,
        title: text && text.length > 40 ? text : null }, known ? element("bdi", {}, text ?? "") : "…"));
    }
    return made;
  }

  let areHeld = false;
  function holdWidths() {
    if (areHeld || !rows.size || !scroller.clientWidth) return;
    areHeld = true; // otherwise the columns would jump while one scrolls
    const widths = [...head.children].map((cell) => /** @type {HTMLElement} */ (cell).offsetWidth);
    for (const [index, cell] of [...head.children].entries()) /** @type {HTMLElement} */ (cell).style.width = `${widths[index]}px`;
    table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
    table.style.tableLayout = "fixed";
  }

  /** @param {{row: number, column: number}} position @returns {HTMLElement | null} */
  function cellAt({ row, column }) {
    if (row < 0) return head.querySelector(`[data-column="${column}"]`);
    return body.querySelector(`[data-row="${row}"][data-column="${column}"]`);
  }

  /** @param {{row: number, column: number}} position */
  function moveTo(position) {
    current = position;
    if (position.row >= 0) {
      const top = position.row * rowHeight;
      const inside = scroller.clientHeight - /** @type {HTMLElement} */ (table.tHead).offsetHeight;
      if (top < scroller.scrollTop) scroller.scrollTop = top;
      else if (top + rowHeight > scroller.scrollTop + inside) scroller.scrollTop = top + rowHeight - inside;
      wantsFocus = true;
      draw();
    } else draw();
    const cell = cellAt(position);
    cell?.focus({ preventScroll: true });
    cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  async function choose() {
    const row = rows.get(current.row);
    isChoosing = !row && current.row >= 0; // it is on its way
    if (!row) return;
    try {
      const cell = await ask({ kind: "cell", index: row[0], column: columns[current.column].name });
      chosen.show(cell, { "Copy value": async () => cell.value, "Copy JSON": async () => cell.json, "Copy record": async () => cell.record });
      problem.textContent = "";
    } catch (error) {
      problem.textContent = /** @type {Error} */ (error).message;
    }
    for (const other of body.querySelectorAll('[aria-selected="true"]')) other.removeAttribute("aria-selected");
    cellAt(current)?.setAttribute("aria-selected", "true");
  }

  table.addEventListener("click", (event) => {
    const cell = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("td[data-row]"));
    if (!cell) return;
    moveTo({ row: Number(cell.dataset.row), column: Number(cell.dataset.column) });
    choose();
  });
  scroller.addEventListener("keydown", (event) => {
    if (event.target instanceof HTMLInputElement || event.altKey || event.metaKey) return;
    const isOnHead = /** @type {Element} */ (event.target).matches(".fr-sort");
    const page = Math.max(1, Math.floor(scroller.clientHeight / rowHeight) - 2);
    const isRightToLeft = getComputedStyle(table).direction === "rtl";
    const position = movedInGrid(isOnHead ? { ...current, row: -1 } : current, event, { rows: matching, columns: columns.length, page, isRightToLeft });
    if (position) moveTo(position);
    else if (!isOnHead && (event.key === "Enter" || event.key === " ")) choose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const view = element("div", {}, tools, scroller, problem, chosen.bar, copies);
  take(first);
  asked.add(0);
  // it has no size before it is in the page
  new ResizeObserver(() => draw()).observe(scroller);
  return view;
}
