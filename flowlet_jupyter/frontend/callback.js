// The code in the address was used up by the server; take it out of the history all the same.
history.replaceState(null, "", location.pathname);
// Open notebooks of this origin show the new status at once.
const name = document.currentScript.dataset.secret;
if (name) new BroadcastChannel("flowlet").postMessage({ changed: name });
