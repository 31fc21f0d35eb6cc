// Which blocks have to go where a store holds more bytes than it may: the oldest.
import type { BlockMeta } from "../block/meta.ts";
import { type CompactedBlock, endMsOf } from "../store/block_list.ts";

export interface StoredTenant {
  tenant: string;
  live: readonly BlockMeta[];
  compacted: readonly CompactedBlock[];
}

/** A block that may go. */
export interface OldBlock {
  meta: BlockMeta;
  compacted: boolean;
}

/** Bytes of all blocks, with those that wait for their deletion. Counted is data.parquet, of which the rest is some thousandths. */
export function storedBytes(tenants: readonly StoredTenant[]): number {
  let bytes = 0;
  for (const { live, compacted } of tenants) {
    for (const { size } of live) bytes += size;
    for (const { meta } of compacted) bytes += meta.size;
  }
  return bytes;
}

/**
 * Blocks in the order in which they go: first those that are compacted, since what they hold lies in others too, then the live ones by
 * the age of their last span. One without a time that can be read goes last.
 */
export function oldestFirst(tenants: readonly StoredTenant[]): OldBlock[] {
  const compacted = tenants
    .flatMap((each) => [...each.compacted])
    .sort((a, b) => a.compactedMs - b.compactedMs);
  const live = tenants.flatMap((each) => each.live.map((meta) => ({ meta, endMs: endMsOf(meta) })));
  live.sort((a, b) => compare(a.endMs, b.endMs) || (a.meta.blockID < b.meta.blockID ? -1 : 1));
  return [
    ...compacted.map(({ meta }) => ({ meta, compacted: true })),
    ...live.map(({ meta }) => ({ meta, compacted: false })),
  ];
}

/** The first blocks of a list that have so many bytes together; all if they have not. Old metas without a size go by age alone. */
export function firstBytes(blocks: Iterable<OldBlock>, bytes: number): OldBlock[] {
  const first: OldBlock[] = [];
  let left = bytes;
  for (const block of blocks) {
    if (left <= 0) break;
    if (block.meta.size === 0) continue;
    first.push(block);
    left -= block.meta.size;
  }
  return first;
}

/**
 * The blocks to delete so that no tenant and not the whole store is over its limit.
 *
 * @param tenantBytesMax 0: no limit
 * @param bytesMax of all tenants; 0: no limit
 */
export function overLimit(
  tenants: readonly StoredTenant[],
  tenantBytesMax: (tenant: string) => number,
  bytesMax: number,
): OldBlock[] {
  const over: OldBlock[] = [];
  for (const each of tenants) {
    const limit = tenantBytesMax(each.tenant);
    if (limit > 0) over.push(...firstBytes(oldestFirst([each]), storedBytes([each]) - limit));
  }
  if (bytesMax === 0) return over;
  const gone = new Set(over.map(({ meta }) => meta));
  const goneBytes = over.reduce((bytes, { meta }) => bytes + meta.size, 0);
  const left = oldestFirst(tenants).filter(({ meta }) => !gone.has(meta));
  return [...over, ...firstBytes(left, storedBytes(tenants) - goneBytes - bytesMax)];
}

/** As a - b, where both may be infinite. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
