// Which blocks hold which of many traces.
import { Column } from "../../wasm/column_ids.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Store } from "../store/store.ts";
import { eachBlock } from "./each_block.ts";
import type { Located, LocateParams } from "./search_job.ts";

const idBytes = 16;
/** So many ids are looked for one by one; of more of them a table is made, and every id of a block looked up in it. */
const fewIdsMax = 256;
/** Of larger row groups not all ids are read for the sake of a few. */
const groupRowsMax = 1 << 16;

/** Finds the blocks that hold traces: some, each of which is looked for. */
export async function locateTraces(
  store: Store,
  caches: ReadCaches,
  { ids, metas }: LocateParams,
  signal: AbortSignal,
): Promise<Located> {
  const pairs: number[] = [];
  const lookUp = lookUpEach(ids);
  await eachBlock(store, caches, metas, signal, async (reader, place) => {
    if (!isBlockVersion(reader.meta.format)) return;
    for (const id of await lookUp(reader)) pairs.push(id, place);
  });
  return Uint32Array.from(pairs);
}

/**
 * Tells how many blocks hold each of many traces.
 *
 * @returns by place of the id; 255 for more
 */
export async function countHolders(
  store: Store,
  caches: ReadCaches,
  { ids, metas }: LocateParams,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const count = ids.length / idBytes;
  if (count <= fewIdsMax) {
    const counts = new Uint8Array(count);
    const pairs = await locateTraces(store, caches, { ids, metas }, signal);
    for (let i = 0; i < pairs.length; i += 2) counts[pairs[i]!] = Math.min(counts[pairs[i]!]! + 1, 255);
    return counts;
  }
  const batch = caches.takeBatch();
  try {
    const { core } = batch;
    core.wantIds!(batch.give(ids), count);
    await eachBlock(store, caches, metas, signal, async (reader) => {
      if (!isBlockVersion(reader.meta.format)) return;
      const groups = await reader.rowGroups();
      for (let group = 0; group < groups; group++) {
        const stored = await reader.traceIds(group);
        core.countIds!(batch.give(stored), stored.length / idBytes);
      }
    });
    core.idCounts!(batch.give(ids), count);
    return batch.u8(Column.Output, count).slice();
  } finally {
    caches.giveBatch(batch);
  }
}

/** Places of the ids that a block holds. */
type LookUp = (reader: BlockReader) => Promise<number[]>;

function lookUpEach(ids: Uint8Array): LookUp {
  const order = Array.from({ length: ids.length / idBytes }, (_, i) => i);
  const idAt = (i: number) => ids.subarray(i * idBytes, (i + 1) * idBytes);
  order.sort((a, b) => Buffer.compare(idAt(a), idAt(b)));
  const sorted = new Uint8Array(ids.length);
  for (const [at, i] of order.entries()) sorted.set(idAt(i), at * idBytes);
  return async (reader) => {
    const places: number[] = [];
    const groups = await reader.rowGroups();
    for (let group = 0; group < groups; group++) {
      if ((await reader.groupSize(group)).rows > groupRowsMax) {
        return (await reader.findRows(sorted)).map(({ id }) => order[id]!);
      }
      const stored = await reader.traceIds(group);
      for (const [at, place] of order.entries()) if (holds(stored, sorted, at)) places.push(place);
    }
    return places;
  };
}

/** Whether ids that ascend have the one that stands at `place` among the wanted ones. */
function holds(ids: Uint8Array, wanted: Uint8Array, place: number): boolean {
  const id = wanted.subarray(place * idBytes, (place + 1) * idBytes);
  let low = 0;
  let high = ids.length / idBytes - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareAt(ids, middle * idBytes, id);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}

function compareAt(ids: Uint8Array, at: number, id: Uint8Array): number {
  for (let i = 0; i < idBytes; i++) {
    const difference = ids[at + i]! - id[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}
