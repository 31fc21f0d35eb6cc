// Applies renamed.ts to a tree: what stands under an old name moves to where it is read from.
import type { Place } from "./error.ts";
import { renamed } from "./renamed.ts";
import { emptyMap, isTreeMap, type Source, type Tree, type TreeMap } from "./source.ts";

export interface Move {
  from: string;
  to: readonly string[];
  note: string;
  place: Place;
  /** False where the new name is given too, which holds then. */
  read: boolean;
}

/** Moves what stands under old names, and gives the moves in the order of the table. */
export function applyRenames({ tree, places }: Source): Move[] {
  const moves: Move[] = [];
  for (const { from, to, note } of renamed) {
    const value = take(tree, from);
    if (value === undefined) continue;
    const place = places.get(from) ?? {};
    const free = to.filter((path) => (get(tree, path) ?? null) === null);
    moves.push({ from, to, note, place, read: free.length > 0 });
    for (const path of free) {
      set(tree, path, value);
      places.set(path, place);
    }
  }
  return moves;
}

export function get(tree: TreeMap, path: string): Tree | undefined {
  let at: Tree | undefined = tree;
  for (const step of path.split(".")) {
    if (!isTreeMap(at)) return undefined;
    at = at[step];
  }
  return at;
}

/** Sets a value, making the sections on the way; does nothing where one of them is no section. */
export function set(tree: TreeMap, path: string, value: Tree): void {
  const steps = path.split(".");
  const last = steps.pop()!;
  let at = tree;
  for (const step of steps) {
    at[step] ??= emptyMap();
    const next = at[step];
    if (!isTreeMap(next)) return;
    at = next;
  }
  at[last] = value;
}

/** Removes a value and the sections that it leaves empty. */
function take(tree: TreeMap, path: string): Tree | undefined {
  const [step, ...rest] = path.split(".") as [string, ...string[]];
  if (!(step in tree)) return undefined;
  const next = tree[step]!;
  if (rest.length === 0) {
    delete tree[step];
    return next;
  }
  if (!isTreeMap(next)) return undefined;
  const value = take(next, rest.join("."));
  if (value !== undefined && Object.keys(next).length === 0) delete tree[step];
  return value;
}
