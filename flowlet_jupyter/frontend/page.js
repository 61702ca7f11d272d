// @ts-check
// The page of the server: all secrets, the form and Manage tokens, without a notebook around them.

import { openApp } from "./app.js";
import { harmlessPrefill } from "./required.js";

const prefill = harmlessPrefill(Object.fromEntries(new URLSearchParams(location.search)));
const isForm = Object.keys(prefill).length > 0;
openApp(/** @type {HTMLElement} */ (document.querySelector("main")), { kind: isForm ? "form" : "table", name: "", prefill, isPage: true });
