// Metas of blocks on their way to a worker, as one text: threads hand text on much faster than objects, and a worker that knows a
// block's text already need not read it.
import type { BlockMeta } from "../block/meta.ts";
import { ByteCache } from "../block/read_cache.ts";

/** JSON of a BlockMeta on each line. */
export type BlockRefs = string;

/** Texts of metas that a worker remembers, with what is read of them: some thousand. */
const metaBytesMax = 8 << 20;
/** A meta as an object takes about as much as its text, of characters that may have two bytes. */
const bytesPerCharacter = 4;

const texts = new WeakMap<BlockMeta, string>();
const known = new ByteCache<BlockMeta>(metaBytesMax);

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
  known.set(text, meta, text.length * bytesPerCharacter);
  return meta;
}
