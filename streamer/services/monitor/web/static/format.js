// Numbers and times for people, always with their unit.

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const FINE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const SHORT = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export const NONE = "–";

export function count(value) {
  return missing(value) ? NONE : WHOLE.format(value);
}

export function rate(value) {
  if (missing(value)) return NONE;
  return `${value >= 100 ? WHOLE.format(value) : value >= 10 ? value.toFixed(1) : FINE.format(value)}/s`;
}

/** A share from 0 to 1, in percent; rounding never says that all or none are where they are not. */
export function percent(share) {
  if (missing(share)) return NONE;
  const shown = (100 * share).toFixed(1);
  if (shown === "100.0" && share < 1) return ">99.9 %";
  if (shown === "0.0" && share > 0) return "<0.1 %";
  return `${share === 1 || share === 0 ? 100 * share : shown} %`;
}

/** The distance of two shares, in percentage points with a sign. */
export function points(difference) {
  if (missing(difference)) return NONE;
  const shown = (100 * Math.abs(difference)).toFixed(1);
  return `${shown === "0.0" ? "±" : difference > 0 ? "+" : "−"}${shown} pp`;
}

export function probability(value) {
  return missing(value) ? NONE : value.toFixed(3);
}

export function seconds(value) {
  if (missing(value)) return NONE;
  if (value < 0) return `−${seconds(-value)}`;
  if (value === 0) return "0 s";
  if (value < 0.01) return `${(1000 * value).toFixed(1)} ms`;
  if (value < 0.9995) return `${Math.round(1000 * value)} ms`;
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${FINE.format(value / 3600)} h`;
  return `${FINE.format(value / 86400)} d`;
}

/** With milliseconds, where one record follows another. */
export function exactTime(ms) {
  return `${CLOCK.format(ms)}.${String(new Date(ms).getUTCMilliseconds()).padStart(3, "0")}`;
}

export function time(ms) {
  return CLOCK.format(ms);
}

/** A time on an axis over so many seconds. */
export function axisTime(ms, span) {
  return (span > 86400 ? DAY : span < 600 ? CLOCK : SHORT).format(ms);
}

/** A time in RFC 3339 or milliseconds; the day too, where it is not today. */
export function moment(text) {
  const at = typeof text === "number" ? text : Date.parse(text);
  if (Number.isNaN(at)) return text ?? NONE;
  const today = new Date(at).toDateString() === new Date().toDateString();
  return today ? CLOCK.format(at) : DAY.format(at);
}

export function several(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
}

function missing(value) {
  return value === null || value === undefined || !Number.isFinite(value);
}
