// The form of a secret, new or edited. It posts to the server extension; nothing of it is a synced trait.

const TYPES = { oauth2: "OAuth2", password: "Password or API key (Bearer)", basic: "User name and password (Basic)", headers: "HTTP headers", external: "Kept elsewhere, read only (environment, file, keyring, hub)" };

const GRANT_DEVICE = "urn:ietf:params:oauth:grant-type:device_code";
const GRANT_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const GRANT_JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const GRANTS = {
  authorization_code: "Authorization code: a person allows it in the browser",
  [GRANT_DEVICE]: "Device code: a person enters a code on any device",
  client_credentials: "Client credentials: the client itself, nobody is asked",
  refresh_token: "Refresh token: one that I have already",
  [GRANT_JWT]: "Service account: an assertion signed with a private key",
  [GRANT_EXCHANGE]: "Token exchange: another token is traded in",
  password: "User name and password (for old services)",
};
const PASSWORD_WARNING =
  "This hands your own password to the client, stores it, and goes around two-factor login; OAuth 2.1 has dropped it. " +
  "Choose another grant if the provider has one.";
const VALUE_FIELDS = new Set(["client_secret", "private_key", "password", "refresh_token"]);
const NOT_SENT = new Set(["redirect_uri", "registering", "warning", "rare"]);

function secretInput(placeholder) {
  const control = element("input", { type: "password", autocomplete: "off", spellcheck: "false", placeholder });
  const show = button("Show", () => {
    const hidden = control.type === "password";
    control.type = hidden ? "text" : "password";
    show.textContent = hidden ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(hidden));
  }, { "aria-pressed": "false", "aria-label": "Show or hide the value" });
  return { control, beside: show };
}

function textInput(value = "", attributes = {}) {
  const control = element("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  control.value = value ?? "";
  return control;
}

function choice(options, value) {
  const control = element("select");
  for (const [key, label] of Object.entries(options)) control.append(element("option", { value: key }, label));
  control.value = value;
  return control;
}

// `secret` is null for a new one, which `prefill` may fill in. Calls done(name) after saving, or done(null) when cancelled.
async function secretForm(secret, prefill, done) {
  const isNew = secret === null;
  const { isWanted, parameters: wantedParameters, ...wantedFields } = prefill;
  const old = secret ?? { type: "oauth2", allowed_hosts: [], ...wantedFields };
  const approved = isWanted ? approval(prefill) : null;
  const kept = isNew ? "" : "leave empty to keep the stored one";
  const message = element("div", { class: "flowlet-error", role: "alert" });
  const body = element("div");
  let fields = {};

  const name = labelled("Name", textInput(old.name, isNew ? { required: "" } : { readonly: "" }), {
    hint: "How requests will name it, such as twitter",
  });
  const type = labelled("Type", choice(TYPES, old.type));
  if (!isNew) type.control.disabled = true;

  const { redirect_uri: redirectUri, problem: redirectProblem } = await call("GET", "api/redirect-uri");
  const providers = await call("GET", "api/providers");
  let parameters = {};
  let registrationEndpoint = null;
  let registering = false;
  let discovered = "";

  function common() {
    return {
      allowed_hosts: labelled("Allowed hosts", textInput((old.allowed_hosts ?? []).join(", ")), {
        hint: "Where this secret may be sent, such as api.twitter.com, *.example.org or 127.0.0.1:8754",
      }),
      base_url: labelled("Base URL", textInput(old.base_url, { inputmode: "url" }), {
        hint: "Optional: requests may then name only a path",
      }),
    };
  }

  function fieldsOf(kind) {
    if (kind === "password") {
      const value = secretInput(kept);
      return { password: labelled("Password or API key", value.control, { beside: value.beside }), ...common() };
    }
    if (kind === "basic") {
      const value = secretInput(kept);
      return {
        username: labelled("User name", textInput(old.username)),
        password: labelled("Password", value.control, { beside: value.beside }),
        ...common(),
      };
    }
    if (kind === "external") {
      return {
        source: labelled("Source", textInput(old.source), {
          hint: "env:NAME, file:/run/secrets/name, keyring:service/user, hub:token or hub:auth_state.access_token",
        }),
        header: labelled("Header", textInput(old.header ?? "Authorization")),
        scheme: labelled("Scheme", textInput(old.scheme ?? "Bearer"), { hint: "What stands before the value in the header" }),
        ...common(),
      };
    }
    if (kind === "headers") {
      const area = element("textarea", { rows: "3", spellcheck: "false", autocomplete: "off", class: "flowlet-masked" });
      if (isWanted) area.value = (old.header_names ?? []).map((header) => `${header}: `).join("\n");
      return {
        headers: labelled("Headers", area, {
          hint: isNew
            ? "One a line, such as X-Api-Key: value"
            : `One a line. Stored: ${(old.header_names ?? []).join(", ")}; leave empty to keep them`,
          beside: button("Show", () => area.classList.toggle("flowlet-masked"), { "aria-label": "Show or hide the values" }),
        }),
        ...common(),
      };
    }
    return { provider: providerField(), ...grantFields() };
  }

  // What is stored beside the fields that are shown: a catalogue entry's or discovery's.
  const SHOWN_ALWAYS = new Set(["name", "type", "status"]);
  let filled = isNew && !isWanted ? { scope: prefill.scope } : Object.fromEntries(Object.entries(old).filter(([key]) => !key.startsWith("has_") && !SHOWN_ALWAYS.has(key)));

  function providerField() {
    const control = choice({ "": "Another provider (fill in, or discover)" }, "");
    for (const entry of providers) control.append(element("option", { value: entry.key }, entry.title));
    control.value = filled.provider ?? "";
    const row = labelled("Provider", control, { hint: "Fills in the endpoints; only client ID and client secret are left" });
    control.addEventListener("change", () => chooseProvider(control.value));
    return row;
  }

  async function chooseProvider(key, values = {}) {
    message.textContent = "";
    const entry = providers.find((candidate) => candidate.key === key);
    filled = entry ? { provider: key, grant_type: entry.grant_type, client_id: entry.client_id } : {};
    parameters = Object.fromEntries((entry?.parameters ?? []).map((parameter) => [parameter.name, values[parameter.name] ?? parameter.default]));
    if (!name.control.value && entry) name.control.value = key;
    await fillFromProvider();
    const typed = fields.client_id?.control.value.trim(); // while the server was asked
    if (typed) filled.client_id = typed;
    const isHeld = body.contains(document.activeElement) && document.activeElement !== fields.provider.control;
    show("oauth2");
    if (!isHeld && body.isConnected) fields.provider.control.focus();
  }

  async function fillFromProvider() {
    if (!filled.provider) return true;
    const entry = providers.find((candidate) => candidate.key === filled.provider);
    if (!entry || (entry.parameters.length && Object.values(parameters).some((value) => !value))) return !entry;
    const kept = { client_id: filled.client_id, scope: filled.scope };
    filled = { ...(await call("POST", `api/providers/${encodeURIComponent(filled.provider)}`, { body: parameters })) };
    filled.client_id = kept.client_id || filled.client_id;
    return true;
  }

  async function discoverFrom(address) {
    const found = await call("POST", "api/discover", { body: { address } });
    filled = { ...filled, provider: undefined, ...found.fields };
    registrationEndpoint = found.registration_endpoint;
    discovered = `Found. This secret will talk to: ${found.hosts.join(", ")}`;
    show("oauth2");
  }

  function grantFields() {
    const entry = providers.find((candidate) => candidate.key === filled.provider);
    const grant = filled.grant_type ?? "authorization_code";
    const rows = {};
    for (const parameter of entry && isNew ? entry.parameters : []) {
      const row = labelled(parameter.label, textInput(parameters[parameter.name]), { hint: parameter.hint });
      row.control.addEventListener("change", () => { parameters[parameter.name] = row.control.value.trim(); });
      rows[`parameter:${parameter.name}`] = row;
    }
    if (!entry) {
      const address = textInput(filled.issuer, { inputmode: "url" });
      const find = button("Discover", async () => {
        try { await discoverFrom(address.value); } catch (error) { fields.issuer.showError(error.message); }
      });
      rows.issuer = labelled("Issuer", address, { hint: discovered || "Optional: an issuer or API address; Discover fills in the endpoints", beside: find });
    }
    const grants = labelled("Grant", choice(GRANTS, grant));
    grants.control.addEventListener("change", () => { remember(); filled.grant_type = grants.control.value; show("oauth2"); });
    rows.grant_type = grants;
    if (grant === "password") rows.warning = { row: element("p", { class: "flowlet-warning", role: "alert" }, PASSWORD_WARNING), control: element("input"), showError() {} };
    if (grant === "authorization_code") {
      const uri = textInput(entry?.redirect_rule === "not-localhost" ? redirectUri.replace("//localhost", "//127.0.0.1") : redirectUri, { readonly: "", class: "flowlet-redirect-uri" });
      rows.redirect_uri = labelled("Redirect URI", uri, { hint: redirectHint(entry), beside: copyButton(() => uri.value) });
    }
    const text = (key, label, hint) => { rows[key] = labelled(label, textInput(filled[key], key.endsWith("endpoint") ? { inputmode: "url" } : {}), { hint }); };
    const value = (key, label, hint) => {
      const input = key === "private_key"
        ? { control: element("textarea", { rows: "3", spellcheck: "false", autocomplete: "off", class: "flowlet-masked" }) }
        : secretInput(kept);
      rows[key] = labelled(label, input.control, { beside: input.beside, hint });
    };
    if (!entry || !isNew) {
      if (grant === "authorization_code") text("authorization_endpoint", "Authorization URI");
      if (grant === GRANT_DEVICE) text("device_authorization_endpoint", "Device authorization endpoint");
      text("token_endpoint", "Token endpoint");
    }
    if (!registering) {
      text("client_id", "Client ID", grant === GRANT_JWT ? "The issuer of the assertion: the service account's e-mail address" : undefined);
      if (grant !== GRANT_JWT) value("client_secret", "Client secret", "A public client has none; PKCE is always used");
    }
    if (registrationEndpoint && isNew) {
      const box = element("input", { type: "checkbox", checked: registering });
      box.addEventListener("change", () => { remember(); registering = box.checked; show("oauth2"); });
      rows.registering = labelled("Register a client now", box, { hint: "This provider makes a client ID by itself (RFC 7591)" });
    }
    if (grant === GRANT_JWT) { value("private_key", "Private key", "PEM, or the private_key of the JSON key file"); text("private_key_id", "Key ID"); text("subject", "Subject", "Optional: the user to act for"); }
    if (grant === "password") { text("username", "User name"); value("password", "Password"); }
    if (grant === "refresh_token") value("refresh_token", "Refresh token", "One that you have already");
    if (grant === GRANT_EXCHANGE) { text("subject_token_file", "File of the subject token"); text("subject_secret", "Or the secret whose token is exchanged"); }
    text("scope", "Scope", entry?.refresh_token_from ? `Separated by spaces. A refresh token comes with: ${entry.refresh_token_from}`
      : "Separated by spaces. Twitter: tweet.read users.read offline.access (the last brings a refresh token)");
    rows.token_endpoint_auth_method = labelled("Client authentication", choice(
      {
        "": "automatic", client_secret_basic: "Basic header", client_secret_post: "in the body", none: "none (public client)",
        client_secret_jwt: "JWT signed with the client secret", private_key_jwt: "JWT signed with a private key",
        tls_client_auth: "TLS certificate of the client",
      },
      filled.token_endpoint_auth_method ?? "",
    ));
    if (rows.token_endpoint_auth_method.control.value === "private_key_jwt" && !rows.private_key) value("private_key", "Private key", "PEM or JWK");
    if (rows.token_endpoint_auth_method.control.value === "tls_client_auth") {
      text("client_certificate_file", "Certificate file", "PEM, on the machine of the Jupyter server");
      text("client_key_file", "Key file", "Unless the certificate's file holds the key too");
    }
    rows.token_endpoint_auth_method.control.addEventListener("change", () => { remember(); show("oauth2"); });
    const shared = common();
    if (filled.allowed_hosts?.length) shared.allowed_hosts.control.value = filled.allowed_hosts.join(", ");
    if (filled.base_url) shared.base_url.control.value = filled.base_url;
    return { ...rows, ...shared, ...rareFields(entry) };
  }

  // Folded away: what few secrets need.
  function rareFields(entry) {
    const text = (key, label, hint) => ({ ...labelled(label, textInput([].concat(filled[key] ?? []).join(" ")), { hint }), isFolded: true });
    const box = element("input", { type: "checkbox", checked: filled.dpop === true });
    const rows = {
      dpop: { ...labelled("Bind tokens to a key", box, { hint: "DPoP (RFC 9449): a stolen token is of no use. Only where the provider offers it" }), isFolded: true },
      resource: text("resource", "Resource", "URIs of the APIs that the token is for (RFC 8707), separated by spaces"),
    };
    rows.openapi = text("openapi", "OpenAPI", "A file or URL that describes the API: completion then knows its paths and parameters");
    if (!entry || !isNew) {
      rows.revocation_endpoint = text("revocation_endpoint", "Revocation endpoint", "Ends the tokens at the provider (RFC 7009)");
      rows.introspection_endpoint = text("introspection_endpoint", "Introspection endpoint", "Says whether a token is still good (RFC 7662)");
    }
    const isUsed = Object.entries(rows).some(([key, row]) => (key === "dpop" ? row.control.checked : row.control.value));
    const folded = element("details", { class: "flowlet-rare" }, element("summary", {}, "Rarely needed"), ...Object.values(rows).map((row) => row.row));
    folded.open = isUsed;
    return { ...rows, rare: { row: folded, control: element("input"), showError() {} } };
  }

  function valueOf(key, field) {
    if (field.control.type === "checkbox") return field.control.checked;
    const value = field.control.value.trim();
    if (key === "allowed_hosts") return value.split(/[\s,]+/).filter(Boolean);
    return key === "resource" ? value.split(/\s+/).filter(Boolean) : value;
  }

  function redirectHint(entry) {
    const where = entry?.registration_page ? ` (${entry.registration_page})` : "";
    const rule = { "https": "This provider takes https:// only: use a JupyterHub or a tunnel with https. " }[entry?.redirect_rule];
    if (redirectProblem) {
      return redirectProblem;
    }
    return `${rule && redirectUri.startsWith("http://") ? rule : ""}Register exactly this at the provider${where}`;
  }

  // what was typed so far stays when the form is drawn again
  function remember() {
    for (const [key, field] of Object.entries(fields)) {
      if (VALUE_FIELDS.has(key) || key.startsWith("parameter:") || NOT_SENT.has(key)) continue;
      filled[key] = valueOf(key, field);
    }
  }

  function show(kind) {
    // a value that was typed already stays when the form is drawn again
    const typed = Object.entries(fields).filter(([key, field]) => VALUE_FIELDS.has(key) && field.control.value);
    fields = fieldsOf(kind);
    for (const [key, field] of typed) if (fields[key]) fields[key].control.value = field.control.value;
    body.replaceChildren(...Object.values(fields).filter((field) => !field.isFolded).map((field) => field.row));
  }
  type.control.addEventListener("change", () => show(type.control.value));
  show(old.type);
  if (isNew && providers.some((entry) => entry.key === prefill.provider)) {
    const own = Object.fromEntries(Object.entries(filled).filter(([key, value]) => key !== "provider" && [].concat(value).join("")));
    await chooseProvider(prefill.provider, wantedParameters);
    filled = { ...filled, ...own, ...(prefill.scope ? { scope: prefill.scope } : {}) };
    show("oauth2");
  }

  function collected() {
    const sent = type.control.value === "oauth2" ? { ...filled, type: "oauth2" } : { type: type.control.value };
    if (registering) Object.assign(sent, { registration_endpoint: registrationEndpoint });
    for (const [key, field] of Object.entries(fields)) {
      if (NOT_SENT.has(key) || key.startsWith("parameter:")) continue;
      const value = valueOf(key, field);
      if (value === "" || value === false || value.length === 0) {
        delete sent[key];
        continue;
      }
      if (key === "headers") {
        sent[key] = Object.fromEntries(
          value.split("\n").filter((line) => line.trim()).map((line) => {
            const at = line.indexOf(":");
            return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
          }),
        );
      } else sent[key] = value;
    }
    return sent;
  }

  const save = element("button", { type: "submit", class: "flowlet-primary" }, "Save");
  body.addEventListener("input", (event) => {
    // the error is about what stood there before
    Object.values(fields).find((field) => field.control === event.target)?.showError("");
  });
  async function submit(event) {
    event.preventDefault();
    const all = { name, type, ...fields };
    for (const field of Object.values(all)) field.showError("");
    message.textContent = "";
    const wanted = name.control.value.trim();
    if (!wanted) {
      name.showError("A secret needs a name.");
      name.control.focus();
      return;
    }
    if (approved && !approved.control.checked) {
      approved.showError("Look at the hosts first, and tick this.");
      approved.control.focus();
      return;
    }
    save.disabled = true;
    try {
      if (type.control.value === "oauth2" && isNew && Object.keys(parameters).length) {
        remember();
        const typed = filled;
        await fillFromProvider();
        filled = { ...filled, client_id: typed.client_id, scope: typed.scope };
        for (const key of ["allowed_hosts", "base_url"]) fields[key].control.value = [].concat(filled[key] ?? []).join(", ");
      }
      await call("PUT", secretPath(wanted), { body: collected(), onlyNew: isNew });
      body.replaceChildren(); // the value leaves the page with the form
      done(wanted);
    } catch (error) {
      const field = all[error.field] ?? all[`parameter:${error.field}`];
      if (field) {
        field.showError(error.message);
        field.control.focus();
      } else message.textContent = error.message;
    } finally {
      save.disabled = false;
    }
  }

  const form = element(
    "form",
    { class: "flowlet-form", onsubmit: submit, autocomplete: "off", "aria-label": isNew ? "Add secret" : `Edit secret ${old.name}` },
    element("h3", {}, isNew ? "Add secret" : `Edit secret ${old.name}`),
    name.row,
    type.row,
    approved?.row,
    body,
    message,
    element("div", { class: "flowlet-actions" }, save, button("Cancel", () => done(null))),
  );
  // JupyterLab's page swallows the browser's own submission by Enter
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(save);
  });
  return form;
}
