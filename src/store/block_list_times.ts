// When a block's spans lie, as its meta tells.
import type { BlockMeta } from "../block/meta.ts";

export interface BlockRange {
  /** Unix seconds, both inclusive. */
  start?: number;
  end?: number;
  /** Block ids in lower case, both inclusive. */
  blockStart?: string;
  blockEnd?: string;
}

export interface ListedBlock {
  meta: BlockMeta;
  /** Unix seconds; the clamped metas of Tempo's live store may start after their end. */
  start: number;
  end: number;
}

/** Whether a block may hold a trace of a time. */
export function isWithin(meta: BlockMeta, range: BlockRange): boolean {
  return within(listed(meta), range);
}

/** Unix ms of the last span of a block; infinity if its meta has no time that can be read. */
export function endMsOf(meta: BlockMeta): number {
  return listed(meta).end * 1000;
}

export function listed(meta: BlockMeta): ListedBlock {
  const start = Math.floor(Date.parse(meta.startTime) / 1000);
  const end = Math.floor(Date.parse(meta.endTime) / 1000);
  // A time that cannot be read must not hide the block.
  if (!Number.isFinite(start) || !Number.isFinite(end)) {
    return { meta, start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  }
  return { meta, start: Math.min(start, end), end: Math.max(start, end) };
}

export function within({ meta, start, end }: ListedBlock, range: BlockRange): boolean {
  // Metas hold whole seconds, so a block that ends in the very second asked for stays.
  if (range.end !== undefined && start > range.end) return false;
  if (range.start !== undefined && end < range.start) return false;
  if (range.blockStart !== undefined && meta.blockID < range.blockStart) return false;
  return range.blockEnd === undefined || meta.blockID <= range.blockEnd;
}
