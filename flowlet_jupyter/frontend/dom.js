// @ts-check
// Building blocks of the views. Text is always set as text, never parsed as HTML: it may come from a provider.

/** @typedef {Node | string | null | undefined} Child */
/** @typedef {{row: HTMLElement, control: any, showError: (message: string) => void}} Labelled a control with its label */

/**
 * An element with attributes (`on…` is a listener) and children; a child that is null or undefined is left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, any>} attributes @param {Child[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (["hidden", "disabled", "checked", "open"].includes(name)) /** @type {any} */ (made)[name] = Boolean(value);
    else if (value !== undefined && value !== null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/**
 * A button. One whose action takes a while is busy until then: a second click does nothing, and the focus stays.
 * @param {string} label @param {(event: Event) => unknown} action @param {Record<string, any>} attributes
 */
export function button(label, action, attributes = {}) {
  const made = element("button", { type: "button", onclick: act, ...attributes }, label);
  /** @param {Event} event */
  function act(event) {
    if (made.getAttribute("aria-busy") === "true") return;
    const done = action(event);
    if (!(done instanceof Promise)) return;
    made.setAttribute("aria-busy", "true");
    done.finally(() => made.removeAttribute("aria-busy"));
  }
  return made;
}

/** @param {string} href @param {string} label */
export function outwardLink(href, label) {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

let counter = 0;
/** @param {string} prefix */
export function freshId(prefix) {
  counter += 1;
  return `flowlet-${prefix}-${counter}`;
}

/**
 * A label, its control, an optional hint, and where its error stands; all tied together for screen readers.
 * @param {string} label @param {any} control @param {{hint?: string, beside?: Child}} more
 * @returns {Labelled}
 */
export function labelled(label, control, { hint, beside } = {}) {
  control.id = control.id || freshId("field");
  const error = element("div", { class: "flowlet-field-error", id: `${control.id}-error` });
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

/** @param {() => string} read */
export function copyButton(read) {
  const made = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(read());
      made.textContent = "Copied";
    } catch {
      made.textContent = "Press Ctrl+C"; // no clipboard on plain http: the text is selected instead
      const before = /** @type {any} */ (made.previousElementSibling);
      before?.select?.();
    }
    setTimeout(() => { made.textContent = "Copy"; }, 2000);
  });
  return made;
}

/** @param {string} placeholder */
export function secretInput(placeholder) {
  const control = element("input", { type: "password", autocomplete: "off", spellcheck: "false", placeholder: placeholder || undefined });
  const show = button("Show", () => {
    const hidden = control.type === "password";
    control.type = hidden ? "text" : "password";
    show.textContent = hidden ? "Hide" : "Show";
    show.setAttribute("aria-pressed", String(hidden));
  }, { "aria-pressed": "false", "aria-label": "Show or hide the value" });
  return { control, beside: show };
}

/** @param {string | null | undefined} value @param {Record<string, any>} attributes */
export function textInput(value = "", attributes = {}) {
  const control = element("input", { type: "text", autocomplete: "off", spellcheck: "false", ...attributes });
  control.value = value ?? "";
  return control;
}

/** @param {Record<string, string>} options @param {string} value */
export function choice(options, value) {
  const control = element("select");
  for (const [key, label] of Object.entries(options)) control.append(element("option", { value: key }, label));
  control.value = value;
  return control;
}
