// @ts-check
// The server extension, found by Jupyter's page config. Values go from here to the server, never to the kernel.

/**
 * @typedef {{name: string, shape: string, required?: boolean, default: any, label: string, help: string,
 *   choices: Record<string, string>, set_by: string, may_be_empty: boolean, is_value: boolean}} Field
 * @typedef {Record<string, {label: string, fields: Field[]}>} Schema the response of GET api/schema
 * @typedef {{name: string, label: string, kind?: string, default: string, hint?: string}} Parameter
 * @typedef {{key: string, title: string, type?: string, category?: string, hosts?: string[], header_names?: string[], ends?: string, parameters: Parameter[], grant_type: string,
 *   client_id: string, registration_page?: string, refresh_token_from?: string, redirect_rule?: string,
 *   needs_client_secret?: boolean, is_ready?: boolean, is_organisations?: boolean, is_discovered?: boolean, notes?: string}} Provider
 * @typedef {{time: number, method: string, host: string, status: number, notebook?: string}} Use
 * @typedef {{state: string, access_token?: boolean, refresh_token?: boolean, scope?: string, obtained_at?: number | null, connected_at?: number | null,
 *   expires_at?: number | null, problem?: string | null, identity?: string | null, identity_problem?: string | null}} Status
 * @typedef {{name: string, type: string, allowed_hosts: string[], status: Status, error?: string, last_use?: Use | null, example_url?: string | null, refusal?: {time: number, message: string} | null,
 *   [field: string]: any}} Secret the response of GET api/secrets/NAME
 * @typedef {{changed: (name: string) => void, manage: (name: string) => void,
 *   edit: (secret: Secret | null, prefill?: Record<string, any>) => void, expectToken: (secret: import("./app_state.js").Awaited) => void,
 *   isExpecting: (name: string) => boolean, endedWaiting: (name: string) => string, startsAtOnce: (name: string) => boolean, live: import("./live_region.js").Live}} View
 */

export class ServerError extends Error {
  /**
   * @param {string} message
   * @param {{field?: string, errors?: Record<string, string>, status?: number, isCut?: boolean}} more
   */
  constructor(message, { field, errors, status, isCut = false } = {}) {
    super(message);
    this.field = field;
    this.errors = errors ?? (field ? { [field]: message } : {});
    this.status = status;
    this.isCut = isCut; // there is no server extension to ask
  }
}

const NO_EXTENSION =
  "The Jupyter server has no flowlet_jupyter extension. In the environment that runs JupyterLab (it may be another " +
  "than this kernel's) run  pip install flowlet-jupyter  , then restart JupyterLab.";

/** @param {string} path */
export function flowletUrl(path) {
  const config = document.getElementById("jupyter-config-data");
  if (!config) throw new ServerError("This front end does not say where its Jupyter server is. " + NO_EXTENSION, { isCut: true });
  const baseUrl = JSON.parse(config.textContent ?? "{}").baseUrl || "/";
  return new URL(`${baseUrl.replace(/\/?$/, "/")}flowlet/${path}`, location.origin).href;
}

/** @param {string} name */
export function secretPath(name, suffix = "") {
  return `api/secrets/${encodeURIComponent(name)}${suffix}`;
}

/**
 * A request to the server extension; the JSON of its response, or null if it has no content. Raises `ServerError`.
 * @param {string} method @param {string} path @param {{body?: any, onlyNew?: boolean}} more
 * @returns {Promise<any>}
 */
export async function call(method, path, { body, onlyNew } = {}) {
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (xsrf) headers["X-XSRFToken"] = decodeURIComponent(xsrf[1]);
  if (body) headers["Content-Type"] = "application/json";
  if (onlyNew) headers["If-None-Match"] = "*";
  let response;
  try {
    response = await fetch(flowletUrl(path), {
      method,
      headers,
      body: body && JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(100000),
    });
  } catch (error) {
    if (error instanceof ServerError) throw error;
    throw new ServerError("The Jupyter server does not answer. Is it still running?");
  }
  const isJson = (response.headers.get("Content-Type") || "").includes("json");
  if (response.status === 404 && !isJson) throw new ServerError(NO_EXTENSION, { isCut: true });
  if (response.redirected || response.status === 403) {
    throw new ServerError("You are not logged in to the Jupyter server any more. Reload the page.");
  }
  if (response.status === 204) return null;
  const content = isJson ? await response.json() : null;
  if (!response.ok) {
    throw new ServerError(content?.message || `The Jupyter server answered ${response.status}.`, { field: content?.field, errors: content?.errors, status: response.status });
  }
  return content;
}

// Other notebooks of this browser, and the callback page, say here when a secret has changed.
/** @param {(name: string) => void} listener */
export function changes(listener) {
  const channel = new BroadcastChannel("flowlet");
  channel.onmessage = (event) => listener(String(event.data?.changed ?? ""));
  return {
    /** @param {string} name */
    notify(name) { channel.postMessage({ changed: name }); },
    close() { channel.close(); },
  };
}
