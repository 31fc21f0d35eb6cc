// Bounds of pages and chunks. They must hold for every value or be absent: readers skip what they rule out.
import { Order, PageResult } from "../../wasm/parquet_encode_ids.ts";
import type { EncodeCore } from "./encode_core.ts";
import type { ChunkEntry } from "./footer_writer.ts";

/** Plain-encoded bounds of a page's values; null without values. `known` is false if there are values, but no bounds hold for them. */
export interface PageBounds {
  min: Uint8Array | null;
  max: Uint8Array | null;
  known: boolean;
}

/**
 * Reads the bounds that the core found when it encoded a page or a dictionary.
 *
 * @param width bytes of a number; 0 for byte strings
 */
export function pageBounds(core: EncodeCore, order: Order, width: number): PageBounds {
  const address = core.pageResult();
  const result = new Uint32Array(core.memory.buffer, address, PageResult.Count);
  if (!result[PageResult.HasBounds]) {
    return { min: null, max: null, known: order === Order.Bytes || result[PageResult.Values] === 0 };
  }
  const bytes = (field: PageResult, length: number) =>
    new Uint8Array(core.memory.buffer, address + field * 4, length).slice();
  if (width) return { min: bytes(PageResult.Min, width), max: bytes(PageResult.Max, width), known: true };
  // The core looks at the first 16 bytes; a longer string is above its beginning.
  const min = bytes(PageResult.Min, result[PageResult.MinLength]!);
  let max: Uint8Array | null = bytes(PageResult.Max, result[PageResult.MaxLength]!);
  if (result[PageResult.MaxIsCut]) max = above(max);
  return { min, max, known: max !== null };
}

/** The shortest byte string that stands behind all strings with this beginning, or null if there is none. */
export function above(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length;
  while (length && prefix[length - 1] === 0xff) length--;
  if (!length) return null;
  const next = prefix.slice(0, length);
  next[length - 1]!++;
  return next;
}

/** Negative, 0 or positive, as a stands before b. */
export function compareBounds(a: Uint8Array, b: Uint8Array, order: Order): number {
  if (order === Order.Bytes) return Buffer.compare(a, b);
  if (order === Order.Double) return doubleOf(a) - doubleOf(b);
  const top = a.length - 1;
  // The sign is in the top bit; turned over, signed numbers compare as unsigned ones.
  const flip = order === Order.Signed ? 0x80 : 0;
  const first = (a[top]! ^ flip) - (b[top]! ^ flip);
  if (first) return first;
  for (let i = top - 1; i >= 0; i--) {
    const difference = a[i]! - b[i]!;
    if (difference) return difference;
  }
  return 0;
}

function doubleOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

/**
 * Fills in the bounds of a chunk from those of its pages (or of its dictionary).
 *
 * @param ofPages whether the bounds are the pages' own, and so may go to a column index
 */
export function chunkBounds(chunk: ChunkEntry, order: Order, bounds: PageBounds[], ofPages: boolean): void {
  let min: Uint8Array | null = null;
  let max: Uint8Array | null = null;
  for (const page of bounds) {
    if (!page.known) return;
    if (!page.min || !page.max) continue;
    if (!min || compareBounds(page.min, min, order) < 0) min = page.min;
    if (!max || compareBounds(page.max, max, order) > 0) max = page.max;
  }
  // Tempo compares unsigned bounds as signed numbers: a huge one, such as the time of an event before its span, would hide the page.
  if (max && order === Order.Unsigned && max[max.length - 1]! >= 0x80) return;
  chunk.min = min;
  chunk.max = max;
  chunk.bounded = ofPages;
}
