// @ts-check
// What flowlet.toml beside the notebook asks for and the vault does not have. The file is a stranger's until a user
// has looked at the hosts: nothing of it is stored before that.

import { button, element } from "./dom.js";

/** @param {string} url */
function hostOf(url) {
  try { return new URL(url).host; } catch { return String(url); }
}

/**
 * `api`: where requests with the secret may go; `provider`: where what the user types is sent to.
 * @param {Record<string, any>} entry
 */
export function hostsOf(entry) {
  const endpoints = Object.keys(entry).filter((key) => key.endsWith("_endpoint") || ["issuer", "jwks_uri", "identity_url"].includes(key)).map((key) => entry[key]);
  if (entry.compliance?.refresh_endpoint) endpoints.push(entry.compliance.refresh_endpoint);
  return {
    api: [...new Set([...(entry.allowed_hosts ?? []), ...(entry.base_url ? [hostOf(entry.base_url)] : [])])],
    provider: [...new Set(endpoints.map(hostOf))],
  };
}

/**
 * What a link or a saved widget may fill in: no value, and no host, which a stranger could choose.
 * @param {Record<string, any>} given
 */
export function harmlessPrefill(given) {
  return Object.fromEntries(["name", "provider", "scope"].filter((key) => typeof given[key] === "string" && given[key]).map((key) => [key, given[key]]));
}

/** @param {any[]} required @param {import("./server.js").View} view */
export function requiredView(required, view) {
  if (!required.length) return null;
  const rows = required.map((entry) => {
    if (entry.error) return element("tr", {}, element("td", { colspan: "5", class: "flowlet-error" }, entry.error));
    const hosts = hostsOf(entry);
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, entry.name),
      element("td", {}, entry.provider ?? hosts.provider.join(", ") ?? ""),
      element("td", {}, element("code", {}, entry.scope ?? "")),
      element("td", {}, hosts.api.join(", ") || "as the provider's entry says"),
      element("td", {}, button("Look and add", () => view.edit(null, { ...entry, isRequired: true }), { "aria-label": `Look at and add ${entry.name}` })),
    );
  });
  const head = ["Name", "Provider", "Scope", "Allowed hosts", ""].map((label) => element("th", { scope: "col" }, label || element("span", { class: "flowlet-unseen" }, "Action")));
  return element(
    "section",
    { "aria-label": "Missing here" },
    element("h3", {}, "Missing here"),
    element("p", { class: "flowlet-hint" }, "flowlet.toml beside this notebook names these. It holds no values; look at the hosts before you add one."),
    element("table", { "aria-label": "Missing here" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
  );
}

/**
 * What stands beside the box that approves a required secret's hosts: the form is not saved before it is ticked.
 * @param {Record<string, any>} entry
 */
export function approvalText(entry) {
  const hosts = hostsOf(entry);
  const consequences = [
    hosts.api.length ? `requests with this secret may go to ${hosts.api.join(", ")}` : null,
    hosts.provider.length ? `what you type here goes to ${hosts.provider.join(", ")}` : null,
    entry.source ? `its value is read from ${entry.source}` : null,
  ].filter(Boolean).join("; ");
  return `flowlet.toml asks for this: ${consequences || "the hosts of the provider's entry"}. Tick it if you trust them.`;
}
