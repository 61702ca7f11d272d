// @ts-check
// How long a view waits for its kernel, and what it says meanwhile: a kernel that hangs or has died never replies.

const SOON = 1_500; // what was saved can be read meanwhile
const LATE = 20_000;
const WAITING = "Waiting for the kernel …";
const NO_REPLY = "The kernel has not replied for 20 seconds: it runs another cell, hangs, or has died. Interrupt it to stop what it runs; "
  + "if that does not help, restart it and run this cell again. What the notebook saved of this response stays readable.";

/** @typedef {(question: Record<string, any>) => Promise<any>} Ask */

/**
 * `ask`, which says by `tell` that a reply is owed, and "" once there is one. Any reply shows that the kernel lives.
 * @param {Ask} ask @param {(text: string) => void} tell @returns {Ask}
 */
export function patiently(ask, tell) {
  let owed = 0;
  /** @type {ReturnType<typeof setTimeout>[]} */
  let timers = [];

  function wait() {
    timers.forEach(clearTimeout);
    timers = owed ? [setTimeout(() => tell(WAITING), SOON), setTimeout(() => tell(NO_REPLY), LATE)] : [];
  }
  return (question) => {
    owed += 1;
    if (owed === 1) wait(); // later questions do not put off what is said of the first
    return ask(question).finally(() => {
      owed -= 1;
      tell("");
      wait();
    });
  };
}
