// @ts-check
{
  // The code in the address was used up by the server; take it out of the history all the same.
  history.replaceState(null, "", location.pathname);
  // Open notebooks of this origin show the new status, or why there is none, at once.
  const secret = document.currentScript?.dataset.secret;
  if (secret) new BroadcastChannel("flowlet").postMessage({ changed: secret });
}
