// The form of a secret, new or edited. It posts to the server extension; nothing of it is a synced trait.

const TYPES = { oauth2: "OAuth2", password: "Password or API key (Bearer)", basic: "User name and password (Basic)", headers: "HTTP headers" };

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

// `secret` is null for a new one. Calls done(name) after saving, or done(null) when cancelled.
async function secretForm(secret, done) {
  const isNew = secret === null;
  const old = secret ?? { type: "oauth2", allowed_hosts: [] };
  const kept = isNew ? "" : "leave empty to keep the stored one";
  const message = element("div", { class: "flowlet-error", role: "alert" });
  const body = element("div");
  let fields = {};

  const name = labelled("Name", textInput(old.name, isNew ? { required: "" } : { readonly: "" }), {
    hint: "How requests will name it, such as twitter",
  });
  const type = labelled("Type", choice(TYPES, old.type));
  if (!isNew) type.control.disabled = true;

  const { redirect_uri: redirectUri } = await call("GET", "api/redirect-uri");

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
    if (kind === "headers") {
      const area = element("textarea", { rows: "3", spellcheck: "false", autocomplete: "off", class: "flowlet-masked" });
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
    const value = secretInput(kept);
    const uri = textInput(redirectUri, { readonly: "", class: "flowlet-redirect-uri" });
    return {
      redirect_uri: labelled("Redirect URI", uri, {
        hint: "Register exactly this at the provider",
        beside: copyButton(() => uri.value),
      }),
      authorization_endpoint: labelled("Authorization URI", textInput(old.authorization_endpoint, { inputmode: "url" })),
      token_endpoint: labelled("Token endpoint", textInput(old.token_endpoint, { inputmode: "url" })),
      client_id: labelled("Client ID", textInput(old.client_id)),
      client_secret: labelled("Client secret", value.control, {
        beside: value.beside,
        hint: "A public client has none; PKCE is always used",
      }),
      scope: labelled("Scope", textInput(old.scope), {
        hint: "Separated by spaces. Twitter: tweet.read users.read offline.access (the last brings a refresh token)",
      }),
      token_endpoint_auth_method: labelled(
        "Client authentication",
        choice(
          { "": "automatic", client_secret_basic: "Basic header", client_secret_post: "in the body", none: "none (public client)" },
          old.token_endpoint_auth_method ?? "",
        ),
      ),
      ...common(),
    };
  }

  function show(kind) {
    fields = fieldsOf(kind);
    body.replaceChildren(...Object.values(fields).map((field) => field.row));
  }
  type.control.addEventListener("change", () => show(type.control.value));
  show(old.type);

  function collected() {
    const sent = { type: type.control.value };
    for (const [key, field] of Object.entries(fields)) {
      const value = field.control.value.trim();
      if (key === "redirect_uri" || value === "") continue;
      if (key === "allowed_hosts") sent[key] = value.split(/[\s,]+/).filter(Boolean);
      else if (key === "headers") {
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
    save.disabled = true;
    try {
      await call("PUT", secretPath(wanted), { body: collected(), onlyNew: isNew });
      body.replaceChildren(); // the value leaves the page with the form
      done(wanted);
    } catch (error) {
      const field = all[error.field];
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
