// The order in which the spans of a trace are drawn: each below its parent, siblings by their start. Holds for whatever a
// trace may be: several roots, parents that are missing, spans that are each other's parents, chains of any depth.
import type { TraceSpan } from "./trace.ts";

export interface SpanTree {
  rows: TreeRow[];
  /** Spans that have no row, and those of them that failed. */
  hidden: number;
  hiddenFailed: number;
}

export interface TreeRow {
  span: TraceSpan;
  /** 0 of a root. */
  depth: number;
  /**
   * Of the row and of the innermost of its ancestors, from the outermost one: whether rows of its siblings follow.
   * A root has no entry. At most `branchesMax`.
   */
  branches: readonly boolean[];
  /** Whether rows of its children follow. */
  hasChildren: boolean;
  /** Spans below it that have no row. */
  hiddenBelow: number;
  /** Why it stands as a root though it has a parent. */
  lost: "orphan" | "cycle" | null;
}

/** Deeper than so many levels only the innermost ones are drawn. */
export const branchesMax = 40;

const noParent = -1;

/**
 * @param limit rows at most; 0: no limit. Spans near the roots come first, so that what is left out is the deepest.
 */
export function spanTree(spans: readonly TraceSpan[], limit: number): SpanTree {
  const byStart = indexesByStart(spans);
  const parents = parentIndexes(spans);
  const children = childrenOf(byStart, parents);
  const { order, above, lost } = levelOrder(spans, byStart, parents, children);
  const shown = limit === 0 ? spans.length : Math.min(limit, spans.length);
  const isShown = new Uint8Array(spans.length);
  for (let i = 0; i < shown; i++) isShown[order[i]!] = 1;
  const hiddenBelow = countHidden(order, above, isShown);

  const rows: TreeRow[] = [];
  const stack: { index: number; depth: number; branches: readonly boolean[] }[] = [];
  for (let i = shown - 1; i >= 0; i--) {
    const index = order[i]!;
    if (above[index] === noParent) stack.push({ index, depth: 0, branches: [] });
  }
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { index, depth, branches } = top;
    const below = children(index).filter((child) => above[child] === index && isShown[child] === 1);
    rows.push({
      span: spans[index]!,
      depth,
      branches,
      hasChildren: below.length > 0,
      hiddenBelow: hiddenBelow[index]!,
      lost: lost.get(index) ?? null,
    });
    const inner = branches.length < branchesMax ? branches : branches.slice(1);
    for (let i = below.length - 1; i >= 0; i--) {
      stack.push({ index: below[i]!, depth: depth + 1, branches: [...inner, i < below.length - 1] });
    }
  }
  let hiddenFailed = 0;
  for (let i = shown; i < spans.length; i++) if (spans[order[i]!]!.failed) hiddenFailed++;
  return { rows, hidden: spans.length - shown, hiddenFailed };
}

function indexesByStart(spans: readonly TraceSpan[]): Uint32Array {
  const compare = (a: number, b: number) => {
    const x = spans[a]!.start;
    const y = spans[b]!.start;
    return x < y ? -1 : x > y ? 1 : a - b;
  };
  return Uint32Array.from(spans.keys()).sort(compare);
}

/** Index of each span's parent; none for roots, for orphans, and for a span that names itself. */
function parentIndexes(spans: readonly TraceSpan[]): Int32Array {
  const byId = new Map<string, number>();
  for (const [i, { id }] of spans.entries()) if (id !== "" && !byId.has(id)) byId.set(id, i);
  return Int32Array.from(spans, ({ parentId }, i) => {
    const parent = parentId === "" ? undefined : byId.get(parentId);
    return parent === undefined || parent === i ? noParent : parent;
  });
}

/** The children of a span, by start. */
function childrenOf(byStart: Uint32Array, parents: Int32Array): (index: number) => number[] {
  const ends = new Uint32Array(parents.length + 1);
  for (const parent of parents) if (parent !== noParent) ends[parent + 1]!++;
  for (let i = 0; i < parents.length; i++) ends[i + 1]! += ends[i]!;
  const next = ends.slice();
  const all = new Uint32Array(parents.length);
  for (const index of byStart) {
    const parent = parents[index]!;
    if (parent !== noParent) all[next[parent]!++] = index;
  }
  return (index) => [...all.subarray(ends[index]!, ends[index + 1]!)];
}

interface LevelOrder {
  /** All spans, those nearer to a root first. */
  order: Uint32Array;
  /** The parent below which each span stands, none for those that stand as roots. */
  above: Int32Array;
  lost: Map<number, "orphan" | "cycle">;
}

function levelOrder(
  spans: readonly TraceSpan[],
  byStart: Uint32Array,
  parents: Int32Array,
  children: (index: number) => number[],
): LevelOrder {
  const order = new Uint32Array(spans.length);
  const above = new Int32Array(spans.length).fill(noParent);
  const placed = new Uint8Array(spans.length);
  const lost: LevelOrder["lost"] = new Map();
  let length = 0;
  let at = 0;
  const place = (index: number) => {
    placed[index] = 1;
    order[length++] = index;
  };
  const placeAllBelow = () => {
    for (; at < length; at++) {
      const index = order[at]!;
      for (const child of children(index)) {
        if (placed[child] === 1) continue;
        above[child] = index;
        place(child);
      }
    }
  };
  for (const index of byStart) {
    if (parents[index] !== noParent) continue;
    const { id, parentId } = spans[index]!;
    if (parentId !== "") lost.set(index, parentId === id ? "cycle" : "orphan");
    place(index);
  }
  placeAllBelow();
  // What no root leads to goes in circles. The earliest of a circle stands for its root.
  for (const index of byStart) {
    if (placed[index] === 1) continue;
    lost.set(index, "cycle");
    place(index);
    placeAllBelow();
  }
  return { order, above, lost };
}

/** For each shown span, how many below it are not. */
function countHidden(order: Uint32Array, above: Int32Array, isShown: Uint8Array): Uint32Array {
  const hidden = new Uint32Array(order.length);
  for (let i = order.length - 1; i >= 0; i--) {
    const index = order[i]!;
    const parent = above[index]!;
    if (isShown[index] === 0 && parent !== noParent) hidden[parent]! += hidden[index]! + 1;
  }
  return hidden;
}
