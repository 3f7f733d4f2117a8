// From values to heights, with marks at round numbers.

/** A linear scale from 0, or from `low` to `high` where they are given: {at(value) from 0 to 1, ticks}. */
export function linear(values, low = 0, high = null) {
  const top = high ?? nice(Math.max(...values, 1e-9));
  const ticks = [0, 1, 2, 3, 4].map((part) => low + ((top - low) * part) / 4);
  return { at: (value) => (value - low) / (top - low), ticks };
}

/** A logarithmic one over whole powers of ten, at least two of them. */
export function logarithmic(values) {
  const positive = values.filter((value) => value > 0);
  const low = Math.floor(Math.log10(Math.min(...positive, 1)) + 1e-9);
  const high = Math.max(low + 2, Math.ceil(Math.log10(Math.max(...positive, 1e-3)) - 1e-9));
  const first = Math.max(low, high - 6);
  const ticks = Array.from({ length: high - first + 1 }, (_, step) => 10 ** (first + step));
  return { at: (value) => (Math.log10(Math.max(value, 10 ** first)) - first) / (high - first), ticks };
}

/** The next higher of 1, 2, 4, 8 times a power of ten: a quarter of it is round too. */
export function nice(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((step) => step * power).find((step) => step >= value - 1e-12);
}
