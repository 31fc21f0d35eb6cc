// The corpus's matchers: what an answer must look like, as data. One function per operator, named as in the corpus.
import type { Json } from "./placeholders.ts";
import { canonical, type Fixture, flatten } from "./traces.ts";

export class Mismatch extends Error {}

type Got = Json | undefined; // undefined: the member is missing
type JsonObject = { [key: string]: Json };
type Operator = (matcher: Matcher, arg: Json, got: Got, path: string) => void;

/** Python's inline flag (?m) in front of a pattern becomes JavaScript's flag. */
export function pattern(source: string, whole: boolean): RegExp {
  const multiline = source.startsWith("(?m)");
  const body = multiline ? source.slice(4) : source;
  return new RegExp(whole ? `^(?:${body})$` : body, multiline ? "sm" : "s");
}

export class Matcher {
  constructor(private readonly fixture: Fixture | null) {}

  fits(want: Json, got: Got): boolean {
    try {
      this.match(want, got, "$");
      return true;
    } catch (error) {
      if (error instanceof Mismatch) return false;
      throw error;
    }
  }

  match(want: Json, got: Got, path: string): void {
    if (want !== null && typeof want === "object" && !Array.isArray(want)) {
      const names = Object.keys(want).filter((key) => key.startsWith("$"));
      if (names.length === 0) {
        this.exactly(want, got, path);
        return;
      }
      for (const name of names) {
        const operator = operators[name.slice(1)];
        if (operator === undefined) throw new Error(`matcher ${name} is unknown`);
        operator(this, want[name]!, got, path);
      }
      return;
    }
    if (got === undefined) fail(path, `expected ${short(want)}, got nothing`);
    if (Array.isArray(want)) {
      const list = asList(got, path);
      if (want.length !== list.length) {
        fail(path, `expected ${want.length} element(s), got ${list.length}: ${short(got)}`);
      }
      for (const [i, w] of want.entries()) this.match(w, list[i], `${path}[${i}]`);
      return;
    }
    if (!sameScalar(want, got)) fail(path, `expected ${short(want)}, got ${short(got)}`);
  }

  private exactly(want: JsonObject, got: Got, path: string): void {
    const object = asObject(got, path);
    this.members(want, object, path);
    const extra = Object.keys(object).filter((key) => !(key in want));
    if (extra.length > 0) fail(path, `unexpected member(s) ${extra.join(", ")}`);
  }

  members(want: JsonObject, got: JsonObject, path: string): void {
    for (const [key, w] of Object.entries(want)) this.match(w, got[key], `${path}.${key}`);
  }

  /** Gives every matcher an element of its own (bipartite matching) and returns the elements left over. */
  pick(wants: Json[], got: Json[], path: string): Json[] {
    const fits = wants.map((want) => got.flatMap((g, j) => (this.fits(want, g) ? [j] : [])));
    const owner = new Map<number, number>();
    const place = (i: number, seen: Set<number>): boolean => {
      for (const j of fits[i]!) {
        if (seen.has(j)) continue;
        seen.add(j);
        const other = owner.get(j);
        if (other === undefined || place(other, seen)) {
          owner.set(j, i);
          return true;
        }
      }
      return false;
    };
    wants.forEach((want, i) => {
      if (place(i, new Set())) return;
      if (got.length === 1 && fits[i]!.length === 0) this.match(want, got[0], path);
      fail(path, `no element like ${short(want)} in ${short(got, 400)}`);
    });
    return got.filter((_, j) => !owner.has(j));
  }

  trace(label: Json, have: string[], path: string): void {
    if (this.fixture === null) throw new Error("$trace without a fixture");
    const extra = [...have];
    const missing = this.fixture.expected(String(label)).filter((span) => {
      const at = extra.indexOf(span);
      if (at >= 0) extra.splice(at, 1);
      return at < 0;
    });
    if (missing.length === 0 && extra.length === 0) return;
    fail(
      path,
      `trace ${label} differs: ${missing.length} span(s) missing, ${extra.length} unexpected\n  missing: ${missing[0] ?? ""}\n  unexpected: ${extra[0] ?? ""}`,
    );
  }
}

const operators: Record<string, Operator> = {
  any(_, __, got, path) {
    if (got === undefined) fail(path, "expected a value, got nothing");
  },
  absent(_, __, got, path) {
    if (got !== undefined) fail(path, `expected nothing, got ${short(got)}`);
  },
  optional(matcher, arg, got, path) {
    if (got !== undefined) matcher.match(arg, got, path);
  },
  regex(_, arg, got, path) {
    if (typeof got !== "string" || !pattern(String(arg), true).test(got)) {
      fail(path, `expected a string like /${arg}/, got ${short(got)}`);
    }
  },
  starts(_, arg, got, path) {
    if (typeof got !== "string" || !got.startsWith(String(arg))) {
      fail(path, `expected a string that starts with ${short(arg)}, got ${short(got)}`);
    }
  },
  includes(_, arg, got, path) {
    for (const part of Array.isArray(arg) ? arg : [arg]) {
      if (typeof got !== "string" || !got.includes(String(part))) {
        fail(path, `expected a string with ${short(part)}, got ${short(got)}`);
      }
    }
  },
  not(matcher, arg, got, path) {
    if (matcher.fits(arg, got)) fail(path, `did not expect ${short(got)}`);
  },
  all(matcher, arg, got, path) {
    for (const want of arg as Json[]) matcher.match(want, got, path);
  },
  anyOf(matcher, arg, got, path) {
    if (!(arg as Json[]).some((want) => matcher.fits(want, got))) {
      fail(path, `expected one of ${short(arg)}, got ${short(got)}`);
    }
  },
  string_int(_, arg, got, path) {
    if (typeof got !== "string" || !/^-?[0-9]+$/.test(got)) {
      fail(path, `expected an integer in a string, got ${short(got)}`);
    }
    bounds(arg, Number(got), path);
  },
  number(_, arg, got, path) {
    if (typeof got !== "number") fail(path, `expected a number, got ${short(got)}`);
    bounds(arg, got, path);
  },
  approx(_, arg, got, path) {
    const [value, distance] = arg as [number, number];
    if (typeof got !== "number" || Math.abs(got - value) > distance) {
      fail(path, `expected ${value} ± ${distance}, got ${short(got)}`);
    }
  },
  type(_, arg, got, path) {
    const type = Array.isArray(got) ? "list" : typeof got === "boolean" ? "bool" : typeof got;
    if (type !== arg || got === null) fail(path, `expected a ${arg}, got ${short(got)}`);
  },
  subset(matcher, arg, got, path) {
    matcher.members(arg as JsonObject, asObject(got, path), path);
  },
  values(matcher, arg, got, path) {
    for (const [key, value] of Object.entries(asObject(got, path)))
      matcher.match(arg, value, `${path}.${key}`);
  },
  unordered(matcher, arg, got, path) {
    const left = matcher.pick(arg as Json[], asList(got, path), path);
    if (left.length > 0) fail(path, `unexpected element(s) ${short(left)}`);
  },
  contains(matcher, arg, got, path) {
    matcher.pick(arg as Json[], asList(got, path), path);
  },
  excludes(matcher, arg, got, path) {
    for (const value of asList(got, path)) {
      if ((arg as Json[]).some((want) => matcher.fits(want, value)))
        fail(path, `did not expect ${short(value)}`);
    }
  },
  set(matcher, arg, got, path) {
    const { must = [], may = [] } = arg as { must?: Json[]; may?: Json[] };
    for (const value of matcher.pick(must, asList(got, path), path)) {
      if (!may.some((want) => matcher.fits(want, value))) fail(path, `did not expect ${short(value)}`);
    }
  },
  within(matcher, arg, got, path) {
    const rest = [...(arg as Json[])];
    for (const value of asList(got, path)) {
      const at = rest.findIndex((want) => matcher.fits(want, value));
      if (at < 0) fail(path, `did not expect ${short(value)}`);
      rest.splice(at, 1);
    }
  },
  each(matcher, arg, got, path) {
    for (const [i, value] of asList(got, path).entries()) matcher.match(arg, value, `${path}[${i}]`);
  },
  len(_, arg, got, path) {
    if (got === null || got === undefined || typeof got === "number" || typeof got === "boolean") {
      fail(path, `expected something with a length, got ${short(got)}`);
    }
    const length = typeof got === "string" || Array.isArray(got) ? got.length : Object.keys(got).length;
    if (typeof arg === "number" && length !== arg) fail(path, `expected length ${arg}, got ${length}`);
    bounds(arg, length, path);
  },
  sorted(_, arg, got, path) {
    const [order, member] = (Array.isArray(arg) ? arg : [arg]) as [string, string?];
    const list = asList(got, path).map((item) =>
      member === undefined ? item : (item as JsonObject)[member],
    );
    const integers = list.every((key) => typeof key === "string" && /^-?[0-9]+$/.test(key));
    const keys = integers ? list.map((key) => BigInt(key as string)) : list;
    const direction = order === "desc" ? -1 : 1;
    for (let i = 1; i < keys.length; i++) {
      if (compare(keys[i - 1], keys[i]) * direction > 0)
        fail(path, `not sorted ${order}: ${short(list as Json)}`);
    }
  },
  sum(_, arg, got, path) {
    const [member, total] = arg as [string, number];
    const sum = asList(got, path).reduce<number>(
      (s, item) => s + Number((item as JsonObject)[member] ?? 0),
      0,
    );
    if (!sameScalar(total, sum)) fail(path, `expected ${member} to add up to ${total}, got ${sum}`);
  },
  samples(matcher, arg, got, path) {
    const have = asList(got, path).flatMap((item) => {
      const { timestampMs = "0", value = 0 } = item as JsonObject;
      return value === 0 ? [] : [[String(timestampMs), value]];
    });
    const want = (arg as Json[][]).map(([ms, value]) => [String(ms), value!]);
    matcher.match({ $unordered: want }, have, path);
  },
  json(matcher, arg, got, path) {
    if (typeof got !== "string") fail(path, `expected a string with JSON, got ${short(got)}`);
    let value: Json;
    try {
      value = JSON.parse(got) as Json;
    } catch (error) {
      fail(path, `not JSON: ${error}`);
    }
    matcher.match(arg, value, `${path}(json)`);
  },
  trace(matcher, arg, got, path) {
    matcher.trace(arg, flatten(asList(got, path)), path);
  },
  traceSet(matcher, arg, got, path) {
    matcher.trace(arg, [...new Set(flatten(asList(got, path)))], path);
  },
};

function compare(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : 0;
}

function bounds(arg: Json, value: number, path: string): void {
  if (arg === null || typeof arg !== "object" || Array.isArray(arg)) return;
  if (
    (arg.min !== undefined && value < Number(arg.min)) ||
    (arg.max !== undefined && value > Number(arg.max))
  ) {
    fail(path, `${value} is outside ${canonical(arg)}`);
  }
}

function asList(got: Got, path: string): Json[] {
  if (!Array.isArray(got)) fail(path, `expected a list, got ${short(got)}`);
  return got;
}

function asObject(got: Got, path: string): JsonObject {
  if (got === null || typeof got !== "object" || Array.isArray(got)) {
    fail(path, `expected an object, got ${short(got)}`);
  }
  return got;
}

function sameScalar(want: Json, got: Json): boolean {
  if (typeof want === "number" && typeof got === "number") {
    if (Number.isInteger(want) && Number.isInteger(got)) return want === got;
    return Math.abs(want - got) <= 1e-9 * Math.max(Math.abs(want), Math.abs(got));
  }
  return want === got;
}

function short(value: Got, charactersMax = 160): string {
  if (value === undefined) return "(absent)";
  const text = canonical(value);
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax)}…`;
}

function fail(path: string, text: string): never {
  throw new Mismatch(`${path}: ${text}`);
}
