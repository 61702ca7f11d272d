// @ts-check
// Spans and moments in words. Times are Unix times in seconds, as the API has them.

/**
 * A span in words that keep their width while they count down: minutes and seconds have two digits.
 * @param {number} seconds
 */
export function spanOfTime(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 172800) return `${Math.floor(whole / 86400)} days`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  if (hours) return `${hours} h ${two(minutes)} min`;
  return minutes ? `${minutes} min ${two(whole % 60)} s` : `${two(whole)} s`;
}

/**
 * How long ago, roughly: nobody needs the seconds.
 * @param {number} at @param {number} now
 */
export function ago(at, now) {
  const seconds = Math.max(0, now - at);
  if (seconds < 60) return "just now";
  const [count, unit] = seconds < 3600 ? [seconds / 60, "minute"] : seconds < 172800 ? [seconds / 3600, "hour"] : [seconds / 86400, "day"];
  const whole = Math.floor(/** @type {number} */ (count));
  return `${whole} ${unit}${whole === 1 ? "" : "s"} ago`;
}

/**
 * When the access token ends; empty if there is none.
 * @param {import("./server.js").Status} status @param {number} now
 */
export function expiryText(status, now) {
  if (!status.access_token) return "";
  if (!status.expires_at) return "no expiry was given";
  const left = status.expires_at - now;
  if (left > 0) return `expires in ${spanOfTime(left)}`;
  return `ended ${ago(status.expires_at, now)}${status.refresh_token ? ", it is refreshed on first use" : ""}`;
}
