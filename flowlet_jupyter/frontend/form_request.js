// @ts-check
// What the form sends when it is saved. No DOM, no request.

import { formRows } from "./form_sections.js";
import { fieldsOf } from "./form_state.js";

/**
 * @typedef {import("./form_state.js").State} State
 * @typedef {import("./server.js").Field} Field
 */

/**
 * The header lines of the form as an object; a line without a colon is a name whose stored value stays.
 * @param {string} text
 */
export function parsedHeaders(text) {
  return Object.fromEntries(
    text.split("\n").filter((line) => line.trim()).map((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

/**
 * What is sent: the secret's fields as JSON has them, without those that are empty.
 * @param {State} state @returns {Record<string, any>}
 */
export function requestBody(state) {
  /** @type {Record<string, any>} */
  const body = { type: state.kind };
  if (state.isRegistering) body.registration_endpoint = state.registrationEndpoint;
  const shown = new Set(formRows(state).map((row) => row.key));
  for (const field of fieldsOf(state)) {
    if (field.name === "name" || field.set_by !== "anyone") continue;
    if (field.is_value) {
      const text = shown.has(field.name) ? (state.secrets[field.name] ?? "").trim() : "";
      if (text) body[field.name] = field.shape === "values" ? parsedHeaders(text) : text;
      continue;
    }
    const value = typedValue(field, state.values[field.name]);
    const isEmpty = value === undefined || value === false || value === "" || (Array.isArray(value) && !value.length);
    if (!isEmpty || (field.may_be_empty && value === "")) body[field.name] = value;
  }
  return body;
}

/** @param {Field} field @param {any} value */
function typedValue(field, value) {
  if (typeof value !== "string") return value ?? undefined;
  if (field.shape === "texts") return value.split(/[\s,]+/).filter(Boolean);
  // the space at the end of a prefix is meant
  return field.name === "prefix" ? value : value.trim();
}
