// All secrets: name, type, hosts, status; add one, manage its tokens.

function tableView(secrets, vault, view) {
  const rows = secrets.map((secret) => {
    if (secret.error) {
      return element("tr", {}, element("td", {}, secret.name), element("td", { colspan: "4", class: "flowlet-error" }, secret.error));
    }
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, secret.name),
      element("td", {}, TYPES[secret.type]?.split(" (")[0] ?? secret.type),
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
    element("p", { class: "flowlet-hint" }, `Kept encrypted in ${vault.folder}; master key: ${vault.master_key}.`),
  );
}
