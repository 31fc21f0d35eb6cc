// All keys that a configuration may hold: those of the table, and those that Tempo has and Rubato ignores.
import { blocks, ignored } from "./ignored.ts";
import { type AnyTable, isKey, type Key } from "./key.ts";
import { nearest } from "./nearest.ts";
import { renamed } from "./renamed.ts";
import { anyTable } from "./table.ts";

/** A key without a meaning here: what it takes, and why it has none. */
export interface IgnoredKey {
  kind: string;
  reason: string;
}

/** A section of all known keys. */
export interface KnownSection {
  [name: string]: Key<unknown> | IgnoredKey | KnownSection;
}

export function isIgnoredKey(entry: KnownSection[string]): entry is IgnoredKey {
  return "reason" in entry && typeof entry.reason === "string";
}

export function isSection(entry: KnownSection[string] | undefined): entry is KnownSection {
  return entry !== undefined && typeof entry.kind !== "string";
}

let knownKeys: KnownSection | undefined;

/** All keys, those that Rubato reads and those it ignores. */
export function known(): KnownSection {
  if (knownKeys === undefined) {
    knownKeys = copy(anyTable);
    for (const { under, reason, names } of ignored) {
      for (const [kind, name] of namesOf(names, under)) {
        const steps = name.split(".");
        const last = steps.pop()!;
        let section = knownKeys;
        for (const step of steps) {
          section[step] ??= {};
          section = section[step] as KnownSection;
        }
        section[last] = { kind, reason };
      }
    }
  }
  return knownKeys;
}

function copy(table: AnyTable): KnownSection {
  const section: KnownSection = {};
  for (const [name, entry] of Object.entries(table)) section[name] = isKey(entry) ? entry : copy(entry);
  return section;
}

/** Kind and path of each name, with the blocks taken apart. */
function* namesOf(text: string, under: string): Generator<[kind: string, path: string]> {
  let kind = "";
  for (const word of text.trim().split(/\s+/)) {
    if (word.endsWith(":")) {
      kind = word.slice(0, -1);
      continue;
    }
    const path = under === "" ? word : `${under}.${word}`;
    const block = blocks[kind];
    if (block === undefined) yield [kind, path];
    else yield* namesOf(block, path);
  }
}

/** The known entry at a path. */
export function lookUp(path: string): KnownSection[string] | undefined {
  let entry: KnownSection[string] | undefined = known();
  for (const step of path.split(".")) {
    if (!isSection(entry) || !Object.hasOwn(entry, step)) return undefined;
    entry = entry[step];
  }
  return entry;
}

/** What is wrong with the value at a path. */
export interface Issue {
  path: string;
  message: string;
}

/** Says what was probably meant: a key beside it, or the same key elsewhere. */
export function unknownKey(section: string, name: string): Issue {
  const path = section === "" ? name : `${section}.${name}`;
  const entry = section === "" ? known() : lookUp(section);
  const siblings = isSection(entry) ? Object.keys(entry) : [];
  const oldSiblings = renamed
    .filter(({ from }) => from.slice(0, Math.max(0, from.lastIndexOf("."))) === section)
    .map(({ from }) => from.slice(from.lastIndexOf(".") + 1));
  const close = nearest(name, [...siblings, ...oldSiblings]);
  const places = close === undefined ? elsewhere(known(), "", name) : [close];
  return { path, message: places.length === 1 ? `unknown key, did you mean ${places[0]}?` : "unknown key" };
}

/** Every path that ends in this name. */
function elsewhere(section: KnownSection, under: string, name: string): string[] {
  return Object.entries(section).flatMap(([own, entry]) => {
    const path = under === "" ? own : `${under}.${own}`;
    if (own === name) return [path];
    return isSection(entry) ? elsewhere(entry, path, name) : [];
  });
}
