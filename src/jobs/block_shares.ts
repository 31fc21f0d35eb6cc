// Who reads what of stored blocks: a small block belongs to one worker, which remembers what it has read of it; of a large one each worker
// reads every so many row groups.
import type { BlockMeta } from "../block/meta.ts";

/** From here on a block has several row groups, and takes long enough to be worth sharing. */
const sharedBytesMin = 16 << 20;

/** Of the row groups of large blocks, by their number. */
export interface Share {
  part: number;
  of: number;
}

export function isShared({ size }: BlockMeta): boolean {
  return size >= sharedBytesMin;
}

/** The blocks that each worker has to look into, in the order in which they are given. */
export function queuesOf(
  metas: readonly BlockMeta[],
  workers: number,
  workerOf: (meta: BlockMeta) => number,
): BlockMeta[][] {
  const queues: BlockMeta[][] = Array.from({ length: workers }, () => []);
  for (const meta of metas) {
    if (isShared(meta)) for (const queue of queues) queue.push(meta);
    else queues[workerOf(meta)]!.push(meta);
  }
  return queues;
}

/** The row groups of a block that a worker reads. */
export function groupsOfShare(meta: BlockMeta, groups: number, { part, of }: Share): number[] {
  const all = Array.from({ length: groups }, (_, group) => group);
  return isShared(meta) ? all.filter((group) => group % of === part) : all;
}
