// @ts-check
{
const root = document.getElementById("IDENTITY");
const tree = root?.querySelector(".tree");
if (root && tree && !root.querySelector(".bar")) {
  const bar = document.createElement("div");
  bar.className = "bar";
  bar.setAttribute("data-lm-suppress-shortcuts", "true");
  const search = document.createElement("input");
  search.type = "search";
  search.placeholder = "Search";
  search.setAttribute("aria-label", "Search this JSON");
  const path = document.createElement("code");
  path.setAttribute("role", "status");
  bar.append(search, path);
  tree.before(bar);
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase();
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (tree.querySelectorAll("div, details"))) {
      const hit = !wanted || row.textContent?.toLowerCase().includes(wanted);
      row.hidden = !hit;
      if (wanted && hit && row instanceof HTMLDetailsElement) row.open = true;
    }
  });
  const pathOf = (/** @type {Element} */ key) => {
    /** @type {string[]} */
    const keys = [];
    for (let row = key.closest("details, div"); row && row !== tree; row = row.parentElement) {
      const own = /** @type {HTMLElement | null | undefined} */ (row.tagName === "DETAILS" ? row.firstElementChild?.querySelector("b") : row.querySelector(":scope > b"));
      if (own) keys.unshift(`[${own.dataset.k}]`);
    }
    return root.dataset.name + keys.join("");
  };
  const copy = (/** @type {any} */ event) => {
    const key = event.target.closest("b[data-k]");
    if (!key || (event.type === "keydown" && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    path.textContent = pathOf(key);
    navigator.clipboard?.writeText(path.textContent).catch(() => {});
  };
  for (const key of /** @type {NodeListOf<HTMLElement>} */ (tree.querySelectorAll("b[data-k]"))) {
    key.tabIndex = 0;
    key.setAttribute("role", "button");
    key.title = "Copy the way to it";
  }
  tree.addEventListener("click", copy);
  tree.addEventListener("keydown", copy);
}
}
