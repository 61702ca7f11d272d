// @ts-check
// The arithmetic of the response's views, without a page: which rows are in sight, where a key leads, which tab is next.

export const CHUNK = 100; // rows that are asked for at once

/**
 * The rows to draw: those in sight and a few around them.
 * @param {number} top pixels that are scrolled away @param {number} height pixels in sight
 * @param {number} rowHeight @param {number} total
 */
export function rowsInSight(top, height, rowHeight, total) {
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight) - 8, total));
  return { first, end: Math.min(total, Math.max(first, Math.ceil((top + height) / rowHeight) + 8)) };
}

/** @param {number} first @param {number} end @param {(row: number) => boolean} isThere @returns {number[]} where the chunks to ask for begin */
export function missingChunks(first, end, isThere) {
  const starts = [];
  for (let start = Math.floor(first / CHUNK) * CHUNK; start < end; start += CHUNK) {
    for (let row = Math.max(start, first); row < Math.min(start + CHUNK, end); row += 1) {
      if (!isThere(row)) {
        starts.push(start);
        break;
      }
    }
  }
  return starts;
}

/**
 * Where a key leads in a grid; row -1 is the head. Null if the key means nothing there.
 * @param {{row: number, column: number}} from @param {{key: string, ctrlKey?: boolean}} event
 * @param {{rows: number, columns: number, page: number, isRightToLeft?: boolean}} grid
 */
export function movedInGrid({ row, column }, { key, ctrlKey }, { rows, columns, page, isRightToLeft }) {
  const forward = isRightToLeft ? "ArrowLeft" : "ArrowRight";
  const backward = isRightToLeft ? "ArrowRight" : "ArrowLeft";
  /** @type {Record<string, () => {row: number, column: number}>} */
  const moves = {
    [forward]: () => ({ row, column: column + 1 }),
    [backward]: () => ({ row, column: column - 1 }),
    ArrowDown: () => ({ row: row + 1, column }),
    ArrowUp: () => ({ row: row - 1, column }),
    PageDown: () => ({ row: row + page, column }),
    PageUp: () => ({ row: Math.max(row - page, Math.min(row, 0)), column }),
    Home: () => ({ row: ctrlKey ? 0 : row, column: 0 }),
    End: () => ({ row: ctrlKey ? rows - 1 : row, column: columns - 1 }),
  };
  const moved = moves[key]?.();
  if (!moved) return null;
  const clamp = (/** @type {number} */ value, /** @type {number} */ low, /** @type {number} */ high) => Math.max(low, Math.min(high, value));
  return { row: clamp(moved.row, -1, rows - 1), column: clamp(moved.column, 0, columns - 1) };
}

/**
 * The tab that a key leads to, round and round; null if the key means nothing there.
 * @param {number} tab @param {string} key @param {number} count @param {boolean} [isRightToLeft]
 */
export function movedInTabs(tab, key, count, isRightToLeft) {
  const step = isRightToLeft ? -1 : 1;
  if (key === "ArrowRight") return (tab + step + count) % count;
  if (key === "ArrowLeft") return (tab - step + count) % count;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}

/** @param {number} matching @param {number} total @param {string} path @param {string} [what] a plural */
export function countText(matching, total, path, what = "records") {
  const of = path ? ` of ${path}` : "";
  const all = total.toLocaleString("en");
  return matching === total ? `${all} ${what}${of}` : `${matching.toLocaleString("en")} of ${all} ${what}${of}`;
}

/** @param {{type: string, size?: number, text?: string, more?: number}} node what a line of a tree says of a value */
export function nodeText({ type, size, text, more }) {
  if (type === "object") return size === 0 ? "{}" : `{${size}}`;
  if (type === "array") return size === 0 ? "[]" : `[${size}]`;
  if (type !== "string") return text ?? "";
  return `"${text}"${more ? ` … ${more.toLocaleString("en")} more characters` : ""}`;
}
