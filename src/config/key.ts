// One key of the configuration: its kind, its default and how its text becomes a value. Scalars come as the text that
// stands in the file (or in a flag), so that a bucket named 0123 keeps its zero.
import { parseByteSize } from "./byte_size.ts";
import { parseDuration, printDuration } from "./duration.ts";

/** What stands in a file: a scalar's text, a list or a mapping. */
export type Given = string | Given[] | { [key: string]: Given };

/** Thrown by a parse function; the message says what was expected. */
export class Unexpected extends Error {}

export interface Key<T> {
  /** For messages and -help. */
  readonly kind: string;
  readonly default: T;
  /** Shown as stars by printConfig(). */
  readonly secret?: boolean;
  /** @throws Unexpected */
  parse(given: Given): T;
  /** How YAML writes the value; String() where absent. */
  print?(value: T): string;
}

/** The keys of a section of the configuration: one for each of its fields, sections within sections. */
export type Table<T> = {
  [Name in keyof T]-?: Entry<NonNullable<T[Name]>>;
};
type Entry<T> = [T] extends [string | number | boolean | readonly unknown[]]
  ? Key<T>
  : string extends keyof T
    ? Key<T>
    : Table<T>;

/** Any table, for code that walks it without knowing its fields. */
export interface AnyTable {
  readonly [name: string]: Key<unknown> | AnyTable;
}

export function isKey(entry: Key<unknown> | AnyTable): entry is Key<unknown> {
  return typeof entry.parse === "function";
}

/** "a list", "a mapping" or the text in quotes. */
export function describe(given: Given): string {
  if (Array.isArray(given)) return "a list";
  if (typeof given === "object") return "a mapping";
  return `"${given}"`;
}

function scalar(given: Given, expected: string): string {
  if (typeof given !== "string") throw new Unexpected(`expected ${expected}, found ${describe(given)}`);
  return given;
}

export interface Range {
  min?: number;
  max?: number;
}

function number(
  kind: string,
  expected: string,
  read: (text: string) => number | undefined,
  initial: number,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Range,
  print: (value: number) => string = String,
): Key<number> {
  return {
    kind,
    default: initial,
    parse(given) {
      const value = read(scalar(given, expected));
      if (value === undefined) throw new Unexpected(`expected ${expected}, found ${describe(given)}`);
      if (value < min) throw new Unexpected(`must be at least ${print(min)}, found ${describe(given)}`);
      if (value > max) throw new Unexpected(`must be at most ${print(max)}, found ${describe(given)}`);
      return value;
    },
  };
}

export function int(initial: number, range: Range = {}): Key<number> {
  return number("int", "a whole number", readInt, initial, range);
}

function readInt(text: string): number | undefined {
  if (!/^[-+]?(\d[\d_]*(\.0+)?(e\+?\d+)?|0x[\da-f]+)$/i.test(text)) return undefined;
  const value = Number(text.replaceAll("_", ""));
  return Number.isSafeInteger(value) ? value : undefined;
}

export function float(initial: number, range: Range = {}): Key<number> {
  return number("float", "a number", readFloat, initial, range);
}

function readFloat(text: string): number | undefined {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** A size: a number of bytes, or one with a unit. */
export function bytes(initial: number, range: Range = {}): Key<number> {
  return number("bytes", "a size in bytes such as 5000000 or 64MiB", parseByteSize, initial, range);
}

/** A duration in milliseconds. @param initial as in the file, `5m` */
export function duration(initial: string, range: Range = {}): Key<number> {
  const key = number(
    "duration",
    "a duration such as 30s or 5m",
    parseDuration,
    parseDuration(initial)!,
    range,
    printDuration,
  );
  return { ...key, print: printDuration };
}

const booleans: Record<string, boolean> = {
  true: true,
  yes: true,
  on: true,
  false: false,
  no: false,
  off: false,
};

export function bool(initial: boolean): Key<boolean> {
  return {
    kind: "bool",
    default: initial,
    parse(given) {
      const value = booleans[scalar(given, "true or false").toLowerCase()];
      if (value === undefined) throw new Unexpected(`expected true or false, found ${describe(given)}`);
      return value;
    },
  };
}

export function string(initial = ""): Key<string> {
  return { kind: "string", default: initial, parse: (given) => scalar(given, "a text") };
}

/** What goes before the paths of URLs: with a slash before it and none behind, however it is written; empty for nothing. */
export function urlPrefix(): Key<string> {
  const key = string();
  return {
    ...key,
    parse: (given) =>
      key
        .parse(given)
        .split("/")
        .filter((step) => step !== "")
        .map((step) => `/${step}`)
        .join(""),
  };
}

export function secret(): Key<string> {
  return { ...string(), secret: true };
}

/**
 * One of a few words.
 *
 * @param refused words that Tempo takes and we do not, with what to say about them
 */
export function choice<Word extends string>(
  words: readonly Word[],
  initial: Word,
  refused: Readonly<Record<string, string>> = {},
): Key<Word> {
  const expected = words.length === 1 ? `"${words[0]}"` : `one of ${words.join(", ")}`;
  return {
    kind: words.join("|"),
    default: initial,
    parse(given) {
      const text = scalar(given, expected);
      const word = words.find((candidate) => candidate === text);
      if (word !== undefined) return word;
      throw new Unexpected(refused[text] ?? `expected ${expected}, found ${describe(given)}`);
    },
  };
}

/** A mapping of names to texts. */
export function labels(): Key<Record<string, string>> {
  return {
    kind: "map",
    default: {},
    parse(given) {
      if (typeof given !== "object" || Array.isArray(given)) {
        throw new Unexpected(`expected a mapping of names to texts, found ${describe(given)}`);
      }
      return Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, scalar(value, "a text")]),
      );
    },
  };
}

/** A list, each element read by itself. */
export function list<T>(kind: string, initial: readonly T[], element: (given: Given) => T): Key<T[]> {
  return {
    kind,
    default: [...initial],
    parse(given) {
      if (!Array.isArray(given)) throw new Unexpected(`expected a list, found ${describe(given)}`);
      return given.map((item, index) => {
        try {
          return element(item);
        } catch (error) {
          if (error instanceof Unexpected) throw new Unexpected(`element ${index + 1}: ${error.message}`);
          throw error;
        }
      });
    },
  };
}
