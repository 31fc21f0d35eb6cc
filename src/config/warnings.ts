// What a file holds that has no effect here, in as few lines as say it: a section whose keys share one reason is named
// once, where none of its keys could have an effect, and keys of one section that share a reason stand in one line.
import type { ConfigWarning, Place } from "./error.ts";
import { isIgnoredKey, isSection, type KnownSection, known, lookUp } from "./known.ts";
import type { Move } from "./rename.ts";
import { renamed } from "./renamed.ts";
import { isTreeMap, type Source, type TreeMap } from "./source.ts";
import { withoutEffect } from "./table.ts";

/** Why a key has no effect; undefined if it has one. */
export function reasonOf(path: string): string | undefined {
  const entry = lookUp(path);
  if (entry !== undefined && isIgnoredKey(entry)) return `ignored, ${entry.reason}`;
  for (let prefix = path; prefix !== ""; prefix = prefix.slice(0, Math.max(0, prefix.lastIndexOf(".")))) {
    const reason = withoutEffect[prefix];
    if (reason !== undefined) return `no effect, ${reason}`;
  }
  return undefined;
}

interface Remark {
  path: string;
  message: string;
}

/** The warnings about a tree that has passed validation, in the order of the file. */
export function findWarnings(
  { tree, places }: Source,
  moves: readonly Move[],
  file: string,
): ConfigWarning[] {
  const moved = new Set(moves.flatMap(({ to }) => to));
  const remarks: Remark[] = [];
  visit(known(), tree, "");
  for (const { from, to, note, read } of moves) {
    const reason = reasonOf(to[0]!);
    if (!read) remarks.push({ path: from, message: `ignored, ${to[0]} is given too` });
    else if (reason !== undefined) remarks.push({ path: from, message: reason });
    else remarks.push({ path: from, message: `${note}, read as ${to[0]}` });
  }
  const order = (path: string): number =>
    (places.get(path)?.line ?? 0) * 1e6 + (places.get(path)?.column ?? 0);
  return grouped(
    remarks.sort((a, b) => order(a.path) - order(b.path)),
    places,
    file,
  );

  /** The reason that a whole section shares; otherwise undefined, with a remark for each of its keys that has one. */
  function visit(section: KnownSection, values: TreeMap, under: string): string | undefined {
    const found: Remark[] = [];
    for (const [name, value] of Object.entries(values)) {
      const path = under === "" ? name : `${under}.${name}`;
      if (value === null || moved.has(path)) continue;
      const entry = section[name];
      const message = isSection(entry) && isTreeMap(value) ? visit(entry, value, path) : reasonOf(path);
      if (message !== undefined) found.push({ path, message });
    }
    const message = found[0]?.message;
    if (found.every((remark) => remark.message === message) && !mayAct(section, under)) return message;
    remarks.push(...found);
    return undefined;
  }
}

/** Whether a section has a key with an effect, under its own or its new name. */
function mayAct(section: KnownSection, under: string): boolean {
  if (under === "" || renamed.some(({ from }) => from.startsWith(`${under}.`))) return true;
  return Object.entries(section).some(([name, entry]) => {
    const path = `${under}.${name}`;
    return isSection(entry) ? mayAct(entry, path) : reasonOf(path) === undefined;
  });
}

function grouped(
  remarks: readonly Remark[],
  places: ReadonlyMap<string, Place>,
  file: string,
): ConfigWarning[] {
  const groups = new Map<string, Remark[]>();
  for (const remark of remarks) {
    const id = `${parentOf(remark.path)} ${remark.message}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [remark]);
    else group.push(remark);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [Remark, ...Remark[]];
    const parent = parentOf(first.path);
    const names = group.map(({ path }) => path.slice(parent === "" ? 0 : parent.length + 1));
    const list = names.length === 1 ? names[0]! : `{${names.join(", ")}}`;
    const key = parent === "" ? names.join(", ") : `${parent}.${list}`;
    return { file, ...places.get(first.path), key, message: first.message };
  });
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf(".")));
}
