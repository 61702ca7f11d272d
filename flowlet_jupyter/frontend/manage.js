// Manage tokens: what was obtained and until when, and the link that requests an access token.

import { button, copyButton, element, labelled, spanOfTime, textInput } from "./dom.js";
import { GRANT_DEVICE } from "./form_state.js";
import { call, flowletUrl, secretPath } from "./server.js";

const NO_REFRESH_TOKEN =
  "No refresh token was given: when the access token ends, you will be asked to connect again. A scope usually brings " +
  "one: offline.access at Twitter, offline_access at most others.";
const STATE_WORDS = {
  ready: "Ready",
  connected: "Connected",
  expired: "Access token expired",
  on_demand: "Ready: the first request obtains an access token",
  no_token: "No access token yet",
  needs_authorization: "Needs authorization",
};

export function statusWords(status) {
  if (status.state === "needs_authorization" && status.problem) return `Needs authorization: ${status.problem}`;
  return STATE_WORDS[status.state] ?? status.state;
}

export function statusMark(status) {
  const good = ["connected", "ready", "on_demand"].includes(status.state);
  const kind = good ? "good" : status.state === "expired" ? "waiting" : "none";
  return element("span", { class: `flowlet-mark flowlet-mark-${kind}`, "aria-hidden": "true" });
}

// The words of an expiry, counted down by the clock that `view` runs.
export function expiry(status) {
  const words = element("span", { class: "flowlet-expiry" });
  words.update = () => {
    if (!status.access_token) words.textContent = "";
    else if (!status.expires_at) words.textContent = "no expiry was given";
    else {
      const left = status.expires_at - Date.now() / 1000;
      const renewed = status.refresh_token ? "; it is refreshed at the next request" : "";
      words.textContent = left > 0 ? `expires in ${spanOfTime(left)}` : `has expired${renewed}`;
    }
  };
  words.update();
  return words;
}

// A plain link: no popup blocker stops it, and it works while the kernel is busy.
export function connectLink(name, label, clicked, query = "") {
  return element(
    "a",
    {
      class: "flowlet-button flowlet-primary",
      href: flowletUrl(`authorize/${encodeURIComponent(name)}${query}`),
      target: "_blank",
      rel: "noopener",
      onclick: clicked,
    },
    label,
  );
}

function tokenRows(secret) {
  const { status } = secret;
  const rows = [["Status", element("span", {}, statusMark(status), statusWords(status))]];
  if (status.identity) rows.push(["Connected as", status.identity]);
  if (secret.type === "oauth2" && status.access_token) {
    rows.push(["Access token", element("span", {}, "obtained, ", expiry(status))]);
    rows.push(["Refresh token", status.refresh_token ? "obtained" : NO_REFRESH_TOKEN]);
    rows.push(["Scopes granted", status.scope ? element("code", {}, status.scope) : "not said by the provider"]);
  }
  if (secret.type === "external") rows.push(["Read from", element("code", {}, secret.source)]);
  rows.push(["Allowed hosts", secret.allowed_hosts.join(", ")]);
  return element(
    "dl",
    { class: "flowlet-details" },
    ...rows.flatMap(([term, text]) => [element("dt", {}, term), element("dd", {}, text)]),
  );
}

// `view` redraws and polls; see app.js. `back` returns to the table, or is null where there is none.
export function manageView(secret, view, back) {
  const message = element("div", { class: "flowlet-error", role: "alert" });
  const isOAuth2 = secret.type === "oauth2";
  const obtained = secret.status.access_token;

  async function attempt(action) {
    message.textContent = "";
    try {
      await action();
      view.changed(secret.name);
    } catch (error) {
      message.textContent = error.message;
    }
  }
  const actions = [];
  const deviceBox = element("div", { "aria-live": "polite" });
  if (isOAuth2 && secret.grant_type === GRANT_DEVICE) {
    actions.push(button(obtained ? "Request access token again" : "Request access token", async () => {
      // not by attempt(): the code must stay on the page until it was entered
      message.textContent = "";
      try {
        deviceBox.replaceChildren(deviceView(await call("POST", secretPath(secret.name, "/device")), secret, view, deviceBox));
      } catch (error) { message.textContent = error.message; }
    }, { class: "flowlet-primary" }));
  } else if (isOAuth2 && secret.grant_type !== "authorization_code") {
    actions.push(button(obtained ? "Request access token again" : "Request access token",
      () => attempt(() => call("POST", secretPath(secret.name, "/refresh"))), { class: "flowlet-primary" }));
  } else if (isOAuth2) {
    actions.push(
      connectLink(secret.name, obtained ? "Request access token again" : "Request access token", () => view.expectToken(secret)),
    );
  }
  if (secret.status.refresh_token) {
    actions.push(button("Refresh now", () => attempt(() => call("POST", secretPath(secret.name, "/refresh")))));
  }
  if (obtained && secret.revocation_endpoint) {
    actions.push(button("Revoke", () => attempt(() => call("POST", secretPath(secret.name, "/revoke")))));
  }
  if (obtained && secret.introspection_endpoint) {
    actions.push(button("Ask the provider", async () => {
      message.textContent = "";
      try {
        const { active } = await call("POST", secretPath(secret.name, "/introspect"));
        view.notify(active ? `The provider says that the access token of ${secret.name} is good.` : `The provider no longer takes the access token of ${secret.name}.`);
      } catch (error) { message.textContent = error.message; }
    }));
  }
  const accountBox = element("div");
  if (secret.client_of) actions.push(button(`Edit ${secret.client_of}`, () => view.manage(secret.client_of)));
  else actions.push(button("Edit", () => view.edit(secret)));
  if (isOAuth2 && !secret.client_of) {
    actions.push(button("Add account", () => {
      const input = labelled("Account", textInput(), { hint: `Another account at the same client: its secret is named ${secret.name}/…` });
      const add = button("Add", async () => {
        try {
          const made = await call("POST", secretPath(secret.name, "/accounts"), { body: { account: input.control.value } });
          view.changed(made.name);
          view.manage(made.name);
        } catch (error) { input.showError(error.message); }
      });
      accountBox.replaceChildren(input.row, add);
      input.control.focus();
    }));
  }
  const remove = button("Delete", () => {
    if (remove.dataset.armed) {
      attempt(async () => {
        const response = await call("DELETE", secretPath(secret.name));
        // at the provider the tokens may still be valid: that must not vanish with the view
        if (response?.notice) view.notify(response.notice);
        back?.();
      });
    }
    else {
      remove.dataset.armed = "yes";
      remove.textContent = `Delete ${secret.name} and its tokens?`;
      setTimeout(() => { delete remove.dataset.armed; remove.textContent = "Delete"; }, 5000);
    }
  });
  actions.push(remove);
  if (back) actions.push(button("Back", back));
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Manage tokens of ${secret.name}` },
    element("h3", {}, `Manage tokens: ${secret.name}`),
    element("div", { "aria-live": "polite" }, tokenRows(secret)),
    view.isExpecting(secret.name)
      ? element("p", { class: "flowlet-hint", role: "status" }, "Waiting for you to allow it in the other tab …")
      : null,
    deviceBox,
    accountBox,
    message,
    element("div", { class: "flowlet-actions" }, ...actions),
  );
}

// The device flow: the code, the link and its QR code; the server waits for the person, this asks the server.
function deviceView(given, secret, view, box) {
  const words = element("p", { class: "flowlet-hint", role: "status" });
  const path = secretPath(secret.name, "/device");
  const timer = setInterval(async () => {
    if (!box.isConnected) return clearInterval(timer);
    words.textContent = `Waiting for you to enter it, ${spanOfTime(given.expires_at - Date.now() / 1000)} left`;
    const state = await call("GET", path).catch(() => null);
    if (!state || state.pending) return undefined;
    clearInterval(timer);
    if (state.problem) box.replaceChildren(element("div", { class: "flowlet-error", role: "alert" }, state.problem));
    else view.changed(secret.name);
    return undefined;
  }, 1000);
  const link = given.verification_uri_complete ?? given.verification_uri;
  return element(
    "section",
    { class: "flowlet-device", "aria-label": "Enter this code" },
    element("p", {}, "Open ", element("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, given.verification_uri),
      " on any device and enter the code ", element("strong", { class: "flowlet-code" }, given.user_code), " ", copyButton(() => given.user_code)),
    element("img", { src: given.qr_code, alt: `QR code of ${given.verification_uri}` }),
    words,
    button("Cancel", async () => { clearInterval(timer); await call("DELETE", path); box.replaceChildren(); }),
  );
}

// In the output of a cell that waits for a token: the link alone.
export function connectView(secret, view) {
  const { status } = secret;
  if (status.state === "connected") {
    return element("p", { role: "status" }, statusMark(status), `Secret ${secret.name} is connected, `, expiry(status), ".");
  }
  if (secret.grant_type !== "authorization_code") return manageView(secret, view, null);
  return element(
    "section",
    { class: "flowlet-manage", "aria-label": `Connect ${secret.name}` },
    element("p", {}, statusMark(status), element("strong", {}, secret.name), `: ${statusWords(status)}.`),
    element(
      "div",
      { class: "flowlet-actions" },
      connectLink(secret.name, "Request access token", () => view.expectToken(secret)),
    ),
  );
}
