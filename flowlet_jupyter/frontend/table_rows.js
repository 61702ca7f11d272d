// @ts-check
// The rows of the table of secrets: searched and sorted. Pure.

import { providerOfSecret, shortKind } from "./provider_search.js";
import { refusalOf, statusWords } from "./timeline.js";

/**
 * @typedef {{query: string, by: "name" | "kind" | "status" | "used", isDescending: boolean}} Order
 * @typedef {{secret: import("./server.js").Secret, name: string, kind: string, provider: string, status: string, refused: string, used: number}} Row
 */

/**
 * @param {import("./server.js").Secret[]} secrets @param {import("./server.js").Provider[]} providers
 * @param {import("./server.js").Schema} schema @param {Order} order
 * @returns {Row[]}
 */
export function tableRows(secrets, providers, schema, { query, by, isDescending }) {
  const rows = secrets.map((secret) => ({
    secret,
    name: secret.name,
    kind: secret.error ? "" : shortKind(secret.type, schema),
    provider: providerOfSecret(secret, providers)?.title ?? "",
    status: secret.error ?? statusWords(secret.status),
    refused: refusalOf(secret)?.message ?? "",
    used: secret.last_use?.time ?? 0,
  }));
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const matching = rows.filter((row) => {
    const text = [row.name, row.kind, row.provider, row.status, row.refused, ...(row.secret.allowed_hosts ?? [])].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const compare = (/** @type {Row} */ a, /** @type {Row} */ b) => {
    if (by === "used") return b.used - a.used; // the latest first
    return a[by].localeCompare(b[by]);
  };
  return matching.sort((a, b) => (isDescending ? -1 : 1) * compare(a, b) || a.name.localeCompare(b.name));
}
