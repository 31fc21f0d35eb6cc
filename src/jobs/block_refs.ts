// Metas of blocks on their way to a worker, as one text: threads hand text on much faster than objects, and a worker that knows a
// block's text already need not read it.
import type { BlockMeta } from "../block/meta.ts";

/** JSON of a BlockMeta on each line. */
export type BlockRefs = string;

/** Metas that a worker remembers. */
const metasMax = 4096;

const texts = new WeakMap<BlockMeta, string>();
const known = new Map<string, BlockMeta>();

export function refsOf(metas: readonly BlockMeta[]): BlockRefs {
  return metas.map(textOf).join("\n");
}

function textOf(meta: BlockMeta): string {
  let text = texts.get(meta);
  if (text === undefined) {
    text = JSON.stringify(meta);
    texts.set(meta, text);
  }
  return text;
}

export function metasOf(refs: BlockRefs): BlockMeta[] {
  return refs === "" ? [] : refs.split("\n").map(metaOf);
}

function metaOf(text: string): BlockMeta {
  const meta = known.get(text) ?? (JSON.parse(text) as BlockMeta);
  known.delete(text);
  known.set(text, meta);
  const [oldest] = known.keys();
  if (known.size > metasMax) known.delete(oldest!);
  return meta;
}
