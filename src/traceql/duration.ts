// Durations as Prometheus and Go write them, in nanoseconds.

const int64Max = 2n ** 63n - 1n;
/** Digits of the largest int64. */
const digitsMax = 19;

const goUnits: Record<string, bigint> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const day = 24n * goUnits.h!;

const prometheus = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const prometheusUnits = [365n * day, 7n * day, day, goUnits.h!, goUnits.m!, goUnits.s!, goUnits.ms!];
const goPart = /(?:(\d+)(?:\.(\d*))?|\.(\d+))(ns|us|µs|ms|s|m|h)/y;

/** Nanoseconds of `1d12h` or `1.5h30m`, without a sign; undefined if it is neither form, or too long for 64 bits. */
export function parseDuration(text: string): bigint | undefined {
  if (text === "") return undefined;
  const parts = prometheus.exec(text);
  return parts ? sumOf(parts) : parseGoDuration(text);
}

function sumOf(parts: RegExpExecArray): bigint | undefined {
  let sum = 0n;
  for (const [index, unit] of prometheusUnits.entries()) {
    const digits = parts[index + 1];
    if (digits === undefined) continue;
    const count = parseDigits(digits);
    if (count === undefined) return undefined;
    sum += count * unit;
  }
  return sum <= int64Max ? sum : undefined;
}

function parseGoDuration(text: string): bigint | undefined {
  let sum = 0n;
  let at = 0;
  while (at < text.length) {
    goPart.lastIndex = at;
    const part = goPart.exec(text);
    if (!part) return undefined;
    at = goPart.lastIndex;
    const unit = goUnits[part[4]!]!;
    const whole = parseDigits(part[1] ?? "");
    if (whole === undefined) return undefined;
    const fraction = (part[2] ?? part[3] ?? "").slice(0, digitsMax);
    sum += whole * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
    if (sum > int64Max) return undefined;
  }
  return sum;
}

/** An unsigned integer, 0 for no digits; undefined where it has more digits than an int64. */
export function parseDigits(digits: string): bigint | undefined {
  const significant = digits.replace(/^0+/, "");
  return significant.length > digitsMax ? undefined : BigInt(significant);
}

/** Go's form: `1h0m0s`, `1.5s`, `20ms`, `0s`. */
export function printDuration(nanoseconds: bigint): string {
  if (nanoseconds < 0n) return `-${printDuration(-nanoseconds)}`;
  if (nanoseconds === 0n) return "0s";
  if (nanoseconds < goUnits.us!) return `${nanoseconds}ns`;
  if (nanoseconds < goUnits.ms!) return `${decimal(nanoseconds, 3)}µs`;
  if (nanoseconds < goUnits.s!) return `${decimal(nanoseconds, 6)}ms`;
  const hours = nanoseconds / goUnits.h!;
  const minutes = (nanoseconds % goUnits.h!) / goUnits.m!;
  const seconds = `${decimal(nanoseconds % goUnits.m!, 9)}s`;
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0n ? `${minutes}m${seconds}` : seconds;
}

/** value / 10^places, without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, "0");
  const fraction = digits.slice(-places).replace(/0+$/, "");
  const whole = digits.slice(0, -places);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}
