// @ts-check
// All secrets: name, kind and provider, status, last use; add one, manage its tokens.

import { button, element } from "./dom.js";
import { requiredView } from "./required.js";
import { connectLink, statusMark, ticking } from "./status.js";
import { tableRows } from "./table_rows.js";
import { ago, expiryText } from "./time.js";
import { refusalOf, refusalText, shortened } from "./timeline.js";

const REFUSAL_CHARACTERS = 180; // all of it stands in Manage tokens
const SEARCHED_FROM = 6; // rows; a search field above two lines is in the way
// Said again, since a table that is laid out as blocks is none any more for a screen reader.
const ROLES = { table: "table", thead: "rowgroup", tbody: "rowgroup", tr: "row", column: "columnheader", row: "rowheader", td: "cell" };

/**
 * @typedef {{secrets: import("./server.js").Secret[], providers: import("./server.js").Provider[],
 *   schema: import("./server.js").Schema, required: any[], vault: {folder: string, master_key: string}}} Content
 */

/**
 * `order` is kept by the app, so that a redraw sorts as before.
 * @param {Content} content @param {import("./table_rows.js").Order} order @param {import("./server.js").View} view
 */
export function tableView({ secrets, providers, schema, required, vault }, order, view) {
  const body = element("tbody", { role: ROLES.tbody });
  const head = element("tr", { role: ROLES.tr });
  const none = element("p", { class: "flowlet-hint", role: "status" });

  function render() {
    const rows = tableRows(secrets, providers, schema, order);
    body.replaceChildren(...rows.map((row) => tableRow(row, view)));
    none.textContent = secrets.length && !rows.length ? `No secret has '${order.query}' in its name, kind, provider, hosts or status.` : "";
    for (const cell of head.querySelectorAll("th")) {
      if (cell.dataset.by) cell.setAttribute("aria-sort", cell.dataset.by !== order.by ? "none" : order.isDescending ? "descending" : "ascending");
    }
  }

  /** @param {import("./table_rows.js").Order["by"]} by @param {string} label */
  const sortedBy = (by, label) => element("th", { role: ROLES.column, scope: "col", "data-by": by }, button(label, () => {
    order.isDescending = order.by === by && !order.isDescending;
    order.by = by;
    render();
  }, { class: "flowlet-sort" }));
  head.append(sortedBy("name", "Name"), sortedBy("kind", "Kind"), sortedBy("status", "Status"), sortedBy("used", "Last used"),
    element("th", { role: ROLES.column, scope: "col" }, element("span", { class: "flowlet-unseen" }, "Action")));
  const search = element("input", { type: "search", class: "flowlet-search", "aria-label": "Search secrets", placeholder: "Search", oninput: () => { order.query = search.value; render(); } });
  search.value = order.query;
  render();
  return element(
    "section",
    { "aria-label": "Secrets" },
    element("div", { class: "flowlet-head" }, element("h2", {}, "Secrets"), element("div", { class: "flowlet-title" }, button("Add secret", () => view.edit(null), { class: "flowlet-primary" }), vaultView(vault))),
    secrets.length >= SEARCHED_FROM || order.query ? search : null,
    secrets.length ? element("table", { role: ROLES.table, "aria-label": "Secrets" }, element("thead", { role: ROLES.thead }, head), body) : emptyView(),
    none,
    readyView(secrets, providers, view),
    requiredView(required.filter((entry) => !secrets.some((secret) => secret.name === entry.name)), view),
  );
}

/** @param {{folder: string, master_key: string}} vault */
function vaultView({ folder, master_key: masterKey }) {
  return element("details", { class: "flowlet-info" }, element("summary", { "aria-label": "Where they are kept", title: "Where they are kept" }, "i"),
    element("p", { class: "flowlet-hint" }, `Encrypted in ${folder}; master key: ${masterKey}.`));
}

function emptyView() {
  return element("div", { class: "flowlet-empty" },
    element("p", {}, "No secrets yet. A secret is a name for how you log in to an API; notebooks hold the name only:"),
    element("pre", {}, "%flowlet_request https://api.x.com/2/users/me --secret twitter"));
}

/** @param {import("./table_rows.js").Row} row @param {import("./server.js").View} view */
function tableRow({ secret, kind, provider, status, used }, view) {
  if (secret.error) {
    return element("tr", { role: ROLES.tr }, element("th", { role: ROLES.row, scope: "row" }, secret.name), element("td", { role: ROLES.td, colspan: "4", class: "flowlet-error" }, secret.error));
  }
  const hosts = secret.allowed_hosts;
  const refusal = refusalOf(secret);
  const expiry = secret.status.access_token && secret.status.state !== "needs_authorization";
  return element(
    "tr",
    { role: ROLES.tr },
    element("th", { role: ROLES.row, scope: "row" }, secret.name, element("span", { class: "flowlet-hint flowlet-below" }, hosts.slice(0, 2).join(", ") + (hosts.length > 2 ? " …" : ""))),
    element("td", { role: ROLES.td }, kind, provider ? element("span", { class: "flowlet-hint flowlet-below" }, provider) : null),
    element("td", { role: ROLES.td }, statusMark(secret.status), status, expiry ? element("span", { class: "flowlet-hint flowlet-below" }, ticking((now) => expiryText(secret.status, now))) : null,
      refusal ? element("span", { class: "flowlet-below flowlet-refused" }, "Last try, ", ticking((now) => ago(refusal.time, now)), `: ${shortened(refusalText(refusal), REFUSAL_CHARACTERS)}`) : null),
    element("td", { role: ROLES.td, class: "flowlet-used" }, used ? ticking((now) => ago(used, now)) : "–", secret.last_use?.notebook ? element("span", { class: "flowlet-hint flowlet-below" }, `by ${secret.last_use.notebook}`) : null),
    element("td", { role: ROLES.td }, button("Manage tokens", () => view.manage(secret.name), { "aria-label": `Manage tokens of ${secret.name}` })),
  );
}

/**
 * Providers whose entry brings a public client of the organisation: nothing is left to fill in, so one click connects.
 * @param {import("./server.js").Secret[]} secrets @param {import("./server.js").Provider[]} providers
 * @param {import("./server.js").View} view
 */
function readyView(secrets, providers, view) {
  const links = providers
    .filter((provider) => provider.is_ready && !secrets.some((secret) => secret.name === provider.key))
    .map((provider) => connectLink(provider.key, `Connect ${provider.title}`, () => view.expectToken({ name: provider.key, status: {} }), { query: `?provider=${encodeURIComponent(provider.key)}` }));
  return links.length ? element("div", { class: "flowlet-actions" }, ...links) : null;
}
