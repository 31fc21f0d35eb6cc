// The lines that lead from a span to its parent, left of what is said about it.
import type { Drawing } from "./drawing.ts";
import type { TreeRow } from "./span_tree.ts";

type Place = Pick<TreeRow, "depth" | "branches" | "hasChildren">;

/**
 * Left of a span's own line.
 *
 * @param levels drawn at most, the innermost ones
 */
export function branchText({ depth, branches }: Place, levels: number, drawing: Drawing): string {
  const drawn = branches.slice(-levels);
  const last = drawn.length - 1;
  const lines = drawn.map((more, i) => {
    if (i < last) return more ? drawing.trunk : drawing.space;
    return more ? drawing.branch : drawing.lastBranch;
  });
  return skipped(depth, drawn, drawing) + lines.join("");
}

/** Left of further lines about a span. */
export function trunkText({ depth, branches, hasChildren }: Place, levels: number, drawing: Drawing): string {
  const drawn = branches.slice(-levels);
  const lines = [...drawn, hasChildren].map((more) => (more ? drawing.trunk : drawing.space));
  return skipped(depth, drawn, drawing) + lines.join("");
}

function skipped(depth: number, drawn: readonly boolean[], drawing: Drawing): string {
  return depth > drawn.length ? drawing.cut : "";
}
