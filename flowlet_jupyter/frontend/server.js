// The server extension, found by Jupyter's page config. Values go from here to the server, never to the kernel.

export class ServerError extends Error {
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

export function flowletUrl(path) {
  const config = document.getElementById("jupyter-config-data");
  if (!config) throw new ServerError("This front end does not say where its Jupyter server is. " + NO_EXTENSION, { isCut: true });
  const baseUrl = JSON.parse(config.textContent).baseUrl || "/";
  return new URL(`${baseUrl.replace(/\/?$/, "/")}flowlet/${path}`, location.origin).href;
}

export function secretPath(name, suffix = "") {
  return `api/secrets/${encodeURIComponent(name)}${suffix}`;
}

export async function call(method, path, { body, onlyNew } = {}) {
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
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
export function changes(listener) {
  const channel = new BroadcastChannel("flowlet");
  channel.onmessage = (event) => listener(String(event.data?.changed ?? ""));
  return {
    notify(name) { channel.postMessage({ changed: name }); },
    close() { channel.close(); },
  };
}
