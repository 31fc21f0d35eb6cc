// Trees as tests compare them.

/** A copy without positions. */
export function unplaced(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(unplaced);
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => key !== "position");
  return Object.fromEntries(entries.map(([key, value]) => [key, unplaced(value)]));
}
