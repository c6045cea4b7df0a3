// Numbers and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** 36981 → "36,981" */
export function formatCount(count) {
  return whole.format(count);
}

/** 3712345 → "3.7 MB" */
export function formatBytes(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (1_000 <= value && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${short.format(value)} ${units[unit]}`;
}

/** Bytes of which there are few: 44.26 → "44.3" */
export function formatDecimal(value) {
  return short.format(value);
}

/** A rate: what happened in how many milliseconds; nothing where it cannot be told. Lines do not break in it. */
export function formatRate(count, elapsed_ms) {
  return 0 < count && 0 < elapsed_ms ? `${whole.format((count / elapsed_ms) * 1_000)}\u00a0/\u00a0s` : undefined;
}

/** 1599711795000 → "2020-09-10 04:23:15". 0 stands for no time at all. */
export function formatTime(time) {
  return time === 0 ? "not recorded" : new Date(time).toISOString().slice(0, 19).replace("T", " ");
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** 11520000 → "3 hours 12 minutes"; the two largest units. */
export function formatDuration(duration_ms) {
  const first = UNITS.findIndex(([, length_ms]) => length_ms <= duration_ms);
  if (first === -1) return `${whole.format(duration_ms)} ms`;
  const parts = [];
  let rest_ms = duration_ms;
  for (const [name, length_ms] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(rest_ms / length_ms);
    rest_ms -= count * length_ms;
    if (0 < count) parts.push(`${whole.format(count)} ${name}${count === 1 ? "" : "s"}`);
  }
  return parts.join(" ");
}

/** Elapsed time that is watched: 1234 → "1.2 s" */
export function formatSeconds(elapsed_ms) {
  return `${(elapsed_ms / 1_000).toFixed(1)} s`;
}

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

/** Cents of a euro: 1350 → "€13.50" */
export function formatMoney(cents) {
  return money.format(cents / 100);
}

/** Elapsed time of which there is little: 0.734 → "0.73 ms", 12.6 → "13 ms" */
export function formatMillis(elapsed_ms) {
  const digits = elapsed_ms < 1 ? 2 : elapsed_ms < 10 ? 1 : 0;
  return `${elapsed_ms.toFixed(digits)} ms`;
}

/** How long ago something was: "just now", "3 minutes ago". */
export function formatAgo(time, now) {
  const elapsed_ms = now - time;
  if (elapsed_ms < 5_000) return "just now";
  const [name, length_ms] = UNITS.find(([, length_ms]) => length_ms <= elapsed_ms);
  const count = Math.floor(elapsed_ms / length_ms);
  return `${whole.format(count)} ${name}${count === 1 ? "" : "s"} ago`;
}

/** 1599711795000 → "2020-09-10": the day, UTC. */
export function formatDay(time) {
  return new Date(time).toISOString().slice(0, 10);
}
