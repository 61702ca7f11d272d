// All secrets: name, type, hosts, status; add one, manage its tokens.

import { button, element } from "./dom.js";
import { connectLink, expiry, statusMark, statusWords } from "./manage.js";
import { requiredView } from "./required.js";

export function tableView(secrets, providers, schema, required, vault, view) {
  const rows = secrets.map((secret) => {
    if (secret.error) {
      return element("tr", {}, element("td", {}, secret.name), element("td", { colspan: "4", class: "flowlet-error" }, secret.error));
    }
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, secret.name),
      element("td", {}, schema[secret.type]?.label.split(" (")[0] ?? secret.type),
      element("td", {}, secret.allowed_hosts.join(", ")),
      element("td", {}, statusMark(secret.status), statusWords(secret.status), " ", expiry(secret.status)),
      element("td", {}, button("Manage tokens", () => view.manage(secret.name), { "aria-label": `Manage tokens of ${secret.name}` })),
    );
  });
  const head = ["Name", "Type", "Allowed hosts", "Status", ""].map((label) => element("th", { scope: "col" }, label));
  return element(
    "section",
    { "aria-label": "Secrets" },
    element("div", { class: "flowlet-head" }, element("h3", {}, "Secrets"), button("Add secret", () => view.edit(null), { class: "flowlet-primary" })),
    rows.length
      ? element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows))
      : element("p", {}, "No secrets yet. Add one, and name it in a request: --secret NAME"),
    readyView(secrets, providers, view),
    requiredView(required.filter((entry) => !secrets.some((secret) => secret.name === entry.name)), view),
    element("p", { class: "flowlet-hint" }, `Kept encrypted in ${vault.folder}; master key: ${vault.master_key}.`),
  );
}

// Providers whose entry brings a public client of the organisation: nothing is left to fill in, so one click connects.
function readyView(secrets, providers, view) {
  const links = providers
    .filter((provider) => provider.is_ready && !secrets.some((secret) => secret.name === provider.key))
    .map((provider) => connectLink(provider.key, `Connect ${provider.title}`, () => view.expectToken({ name: provider.key, status: {} }), `?provider=${encodeURIComponent(provider.key)}`));
  return links.length ? element("div", { class: "flowlet-actions" }, ...links) : null;
}
