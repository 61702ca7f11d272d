// Building blocks of the views. Text is always set as text, never parsed as HTML: it may come from a provider.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "hidden" || name === "disabled" || name === "checked") made[name] = Boolean(value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function button(label, action, attributes = {}) {
  return element("button", { type: "button", onclick: action, ...attributes }, label);
}

let counter = 0;
function freshId(prefix) {
  counter += 1;
  return `flowlet-${prefix}-${counter}`;
}

// A label, its control, an optional hint, and a place for the error beside it; all tied together for screen readers.
export function labelled(label, control, { hint, beside } = {}) {
  control.id = control.id || freshId("field");
  const error = element("div", { class: "flowlet-field-error", id: `${control.id}-error`, role: "alert" });
  const described = [error.id];
  let hintElement = null;
  if (hint) {
    hintElement = element("div", { class: "flowlet-hint", id: `${control.id}-hint` }, hint);
    described.push(hintElement.id);
  }
  control.setAttribute("aria-describedby", described.join(" "));
  const row = element(
    "div",
    { class: "flowlet-field" },
    element("label", { for: control.id }, label),
    element("div", { class: "flowlet-control" }, control, beside),
    hintElement,
    error,
  );
  return {
    row,
    control,
    showError(message) {
      error.textContent = message;
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

export function copyButton(read) {
  const made = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(read());
      made.textContent = "Copied";
    } catch {
      made.textContent = "Press Ctrl+C"; // no clipboard on plain http: the text is selected instead
      made.previousElementSibling?.select?.();
    }
    setTimeout(() => { made.textContent = "Copy"; }, 2000);
  });
  return made;
}

export function spanOfTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 172800) return `${Math.floor(whole / 86400)} days`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return [hours && `${hours} h`, (hours || minutes) && `${minutes} min`, `${rest} s`].filter(Boolean).join(" ");
}

export function secretInput(placeholder) {
  const control = element("input", { type: "password", autocomplete: "off", spellcheck: "false", placeholder });
  const show = button("Show", () => {
    const hidden = control.type === "password";
    control.type = hidden ? "text" : "password";
    show.textContent = hidden ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(hidden));
  }, { "aria-pressed": "false", "aria-label": "Show or hide the value" });
  return { control, beside: show };
}

export function textInput(value = "", attributes = {}) {
  const control = element("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  control.value = value ?? "";
  return control;
}

export function choice(options, value) {
  const control = element("select");
  for (const [key, label] of Object.entries(options)) control.append(element("option", { value: key }, label));
  control.value = value;
  return control;
}
