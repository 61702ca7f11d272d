// The widget: one of the views, kept up to date from the server while it is shown.

const POLL_MILLISECONDS = 2000;
const FLOW_MILLISECONDS = 10 * 60 * 1000; // as long as the server keeps a flow

function render({ model, el }) {
  // Lumino would take Enter, letters and arrows for the notebook's own shortcuts
  const root = element("div", { class: "flowlet", "data-lm-suppress-shortcuts": "true" });
  const warning = element("p", { class: "flowlet-error", role: "alert", hidden: true });
  const content = element("div", {}, element("p", { class: "flowlet-hint" }, "Asking the Jupyter server …"));
  root.append(warning, content);
  el.append(root);

  const start = { kind: model.get("view"), name: model.get("name") };
  let place = start; // which view is shown: a kind and the secret's name
  let editing = null; // a form is never redrawn under the person who fills it in
  let expected = null; // {name, before, until}: a token is awaited from another tab
  let drawing = 0;
  let serverVault = null;
  let kernelVault = null;

  const view = {
    changed(name) {
      channel.tell(name);
      draw();
    },
    manage(name) {
      place = { kind: "manage", name };
      draw({ focus: true });
    },
    edit(secret) {
      showForm(secret);
    },
    expectToken(secret) {
      expected = { name: secret.name, before: secret.status.obtained_at, until: Date.now() + FLOW_MILLISECONDS };
      setTimeout(draw, 0); // after the link was followed
    },
    isExpecting: (name) => expected?.name === name,
  };
  const back = start.kind === "table" || start.kind === "form" ? () => { place = { kind: "table", name: "" }; draw({ focus: true }); } : null;

  function put(node, focus) {
    // what had the keyboard keeps it through a redraw
    const held = content.contains(document.activeElement) ? document.activeElement.textContent : null;
    content.replaceChildren(node);
    const controls = [...node.querySelectorAll("a, button, input, select")];
    const next = focus ? controls[0] : held && controls.find((control) => control.textContent === held);
    next?.focus({ preventScroll: true });
  }

  async function showForm(secret) {
    editing = {};
    try {
      const form = await secretForm(secret, (name) => {
        editing = null;
        if (name) {
          place = { kind: "manage", name };
          channel.tell(name);
        } else if (place.kind === "form") place = { kind: "table", name: "" };
        draw({ focus: true });
      });
      put(form, true);
    } catch (error) {
      editing = null;
      put(element("p", { class: "flowlet-error", role: "alert" }, error.message));
    }
  }

  async function draw({ focus } = {}) {
    if (editing) return;
    drawing += 1;
    const mine = drawing;
    try {
      serverVault ??= await call("GET", "api/vault");
      warnOfVaults();
      let node;
      if (place.kind === "table") node = tableView(await call("GET", "api/secrets"), serverVault, view);
      else {
        const secret = await call("GET", secretPath(place.name));
        if (expected?.name === secret.name && secret.status.obtained_at && secret.status.obtained_at !== expected.before) expected = null;
        node = place.kind === "connect" ? connectView(secret, view) : manageView(secret, view, back);
      }
      if (mine === drawing && !editing) put(node, focus);
    } catch (error) {
      if (mine !== drawing) return;
      if (error.status === 404 && back && place.kind === "manage") back(); // deleted elsewhere
      else put(element("p", { class: "flowlet-error", role: "alert" }, error.message));
    }
  }

  function warnOfVaults() {
    const differ = serverVault && kernelVault && serverVault.folder !== kernelVault;
    warning.hidden = !differ;
    if (differ) {
      warning.textContent =
        `The Jupyter server keeps secrets in ${serverVault.folder}, this kernel in ${kernelVault}. ` +
        "Set FLOWLET_VAULT to the same folder for both.";
    }
  }

  const channel = changes((name) => {
    if (place.kind === "table" || !name || name === place.name) draw();
  });
  const clock = setInterval(() => {
    for (const words of content.querySelectorAll(".flowlet-expiry")) words.update?.();
  }, 1000);
  const poll = setInterval(() => {
    if (!expected && place.kind !== "connect") return; // the status is awaited only while a flow is pending
    if (expected && Date.now() > expected.until) expected = null;
    if (!document.hidden) draw();
  }, POLL_MILLISECONDS);
  const onVisible = () => { if (!document.hidden && expected) draw(); };
  document.addEventListener("visibilitychange", onVisible);

  model.on("msg:custom", (message) => {
    if (message.kind !== "vault") return;
    kernelVault = message.folder;
    warnOfVaults();
  });
  model.send({ kind: "hello" });
  // a busy kernel hears that late; it also looks for the greeting that the server leaves
  call("POST", `api/greetings/${model.get("greeting")}`).catch(() => {}); // where it fails, draw() says why
  if (place.kind === "form") showForm(null);
  else draw();

  return () => {
    clearInterval(clock);
    clearInterval(poll);
    document.removeEventListener("visibilitychange", onVisible);
    channel.close();
  };
}

export default { render };
