// @ts-check
// The state of the app and how it changes. No DOM, no request.

const FLOW_MILLISECONDS = 10 * 60 * 1000; // as long as the server keeps a flow
const NOTHING_CAME =
  "Nothing came back from the other tab within ten minutes, and what it brings now is refused. Request the access token again when you are ready.";

/**
 * @typedef {{kind: "table" | "manage" | "connect" | "form", name: string}} Route which view is shown, and of which secret
 * @typedef {{name: string, status: {obtained_at?: number | null}, refusal?: {time: number, message: string} | null}} Awaited
 * @typedef {{name: string, before: number | null | undefined, refusedBefore: number | undefined, until: number}} Expected a token that another tab brings
 * @typedef {{route: Route, isEditing: boolean, expected: Expected | null, ended: {name: string, text: string} | null, starting: string | null, required: any[],
 *   serverVault: {folder: string, master_key: string} | null, kernelVault: string | null, isCut: boolean,
 *   order: import("./table_rows.js").Order}} AppState
 */

/** @param {Route} route @returns {AppState} */
export function initialAppState(route) {
  return {
    route, isEditing: false, expected: null, ended: null, starting: null, required: [], serverVault: null, kernelVault: null, isCut: false,
    order: { query: "", by: "name", isDescending: false },
  };
}

/** @param {AppState} state @param {Awaited} secret @param {number} now milliseconds @returns {AppState} */
export function expecting(state, secret, now) {
  const expected = { name: secret.name, before: secret.status.obtained_at, refusedBefore: secret.refusal?.time, until: now + FLOW_MILLISECONDS };
  return { ...state, expected, ended: null };
}

/**
 * The state after `secret` was read: a token that was awaited may have come, been refused, or be awaited no longer.
 * @param {AppState} state @param {Awaited | null} secret @param {number} now milliseconds
 * @returns {AppState}
 */
export function settled(state, secret, now) {
  const { expected } = state;
  if (!expected) return state;
  const read = secret?.name === expected.name ? secret : null;
  if (read?.status.obtained_at && read.status.obtained_at !== expected.before) return { ...state, expected: null };
  const refusal = read?.refusal;
  if (refusal && refusal.time !== expected.refusedBefore) return { ...state, expected: null, ended: { name: expected.name, text: refusal.message } };
  return now > expected.until ? { ...state, expected: null, ended: { name: expected.name, text: NOTHING_CAME } } : state;
}

/**
 * The state after the form is done: with the secret's name after saving, or null when it was cancelled.
 * @param {AppState} state @param {string | null} name @param {string | undefined} request @param {number} now milliseconds
 * @returns {AppState}
 */
export function afterForm(state, name, request, now) {
  if (name === null) return { ...state, isEditing: false, route: state.route.kind === "form" ? { kind: "table", name: "" } : state.route };
  /** @type {AppState} */
  const saved = { ...state, isEditing: false, route: { kind: "manage", name } };
  if (request === "browser") return expecting(saved, { name, status: {} }, now);
  return request === "device" || request === "direct" ? { ...saved, starting: name } : saved;
}

/** @param {AppState} state */
export function vaultsProblem({ serverVault, kernelVault }) {
  if (!serverVault || !kernelVault || serverVault.folder === kernelVault) return "";
  return `The Jupyter server keeps secrets in ${serverVault.folder}, this kernel in ${kernelVault}. Set FLOWLET_VAULT to the same folder for both.`;
}
