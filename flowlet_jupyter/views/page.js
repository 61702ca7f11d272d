// The page of the server: all secrets, the form and Manage tokens, without a notebook around them.

// What a link may fill in (?provider=…&scope=…): no value, and no host, which a stranger's link could choose.
const given = new URLSearchParams(location.search);
const prefill = Object.fromEntries(["name", "provider", "scope"].filter((key) => given.get(key)).map((key) => [key, given.get(key)]));
const isForm = Object.keys(prefill).length > 0;
openScreen(document.querySelector("main"), { kind: isForm ? "form" : "table", name: "", prefill });
