// Where the leaves of a schema lie: what they repeat or are absent with.
import type { SchemaNode } from "../block/schema.ts";

/** A repeated or optional group, or the root: all required leaves right below have the same levels. */
export interface Home {
  /** Leaves that lie in it, in groups of their own or not. */
  leaves: number;
  /** Null: the root. */
  outer: Home | null;
}

/** The innermost home of each leaf, in file order. */
export function homesOf(schema: SchemaNode): Home[] {
  const found: Home[] = [];
  const visit = (node: SchemaNode, home: Home): void => {
    if (!node.children) {
      found.push(home);
      for (let outer: Home | null = home; outer; outer = outer.outer) outer.leaves++;
      return;
    }
    const inner = node.repetition === "required" ? home : { leaves: 0, outer: home };
    for (const child of node.children) visit(child, inner);
  };
  const root: Home = { leaves: 0, outer: null };
  for (const child of schema.children ?? []) visit(child, root);
  return found;
}
