// Durations as Go writes them (5m0s), with Prometheus' days, weeks and years; held as milliseconds.

const unitMs: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3, // micro sign
  μs: 1e-3, // Greek mu
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|[smhdwy])/y;

/** Milliseconds of a duration such as `1h30m`, `250ms`, `7d` or `0`; undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith("-");
  const digits = negative || text.startsWith("+") ? text.slice(1) : text;
  if (digits === "0") return 0;
  let ms = 0;
  let at = 0;
  while (at < digits.length) {
    part.lastIndex = at;
    const match = part.exec(digits);
    if (!match) return undefined;
    ms += Number(match[1]) * unitMs[match[2]!]!;
    at = part.lastIndex;
  }
  if (at === 0) return undefined;
  return negative ? -ms : ms;
}

/** Go's canonical form of so many milliseconds: `5m0s`, `1.5s`, `100ms`, `0s`. */
export function printDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 0) return `-${printDuration(-ms)}`;
  if (ms < 1e-3) return `${decimal(ms * 1e6, 0)}ns`;
  if (ms < 1) return `${decimal(ms * 1e3, 3)}µs`;
  if (ms < 1000) return `${decimal(ms, 6)}ms`;
  const hours = Math.floor(ms / unitMs.h!);
  const minutes = Math.floor((ms % unitMs.h!) / unitMs.m!);
  const seconds = `${decimal((ms % unitMs.m!) / 1000, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function decimal(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}
