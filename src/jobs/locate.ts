// Which blocks hold which of many traces.

import { Column } from "../../wasm/column_ids.ts";
import { pickTraceIds, placeOfTraceId, traceIdAt, traceIdBytes } from "../batch/trace_ids.ts";
import { isBlockVersion } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Store } from "../store/store.ts";
import { eachBlock } from "./each_block.ts";
import type { Located, LocateParams } from "./search_job.ts";

/** So many ids are looked for one by one; of more of them a table is made, and every id of a block looked up in it. */
const fewIdsMax = 256;
/** Of larger row groups not all ids are read for the sake of a few. */
const groupRowsMax = 1 << 16;

/** Finds the blocks that hold traces: some, each of which is looked for. */
export async function locateTraces(
  store: Store,
  caches: ReadCaches,
  { ids, metas, searched }: LocateParams,
  signal: AbortSignal,
): Promise<Located> {
  const pairs: number[] = [];
  const lookUp = lookUpEach(ids);
  const look = async (reader: BlockReader, place: number): Promise<void> => {
    if (!isBlockVersion(reader.meta.format)) return;
    for (const id of await lookUp(reader)) pairs.push(id, place);
  };
  await eachBlock(store, caches, metas, signal, look, searched);
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
  { ids, metas, searched }: LocateParams,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const count = ids.length / traceIdBytes;
  if (count <= fewIdsMax) {
    const counts = new Uint8Array(count);
    const pairs = await locateTraces(store, caches, { ids, metas, searched }, signal);
    for (let i = 0; i < pairs.length; i += 2) counts[pairs[i]!] = Math.min(counts[pairs[i]!]! + 1, 255);
    return counts;
  }
  const batch = caches.takeBatch();
  try {
    const { core } = batch;
    core.wantIds!(batch.give(ids), count);
    const look = async (reader: BlockReader): Promise<void> => {
      if (!isBlockVersion(reader.meta.format)) return;
      const groups = await reader.rowGroups();
      for (let group = 0; group < groups; group++) {
        const stored = await reader.traceIds(group);
        core.countIds!(batch.give(stored), stored.length / traceIdBytes);
      }
    };
    await eachBlock(store, caches, metas, signal, look, searched);
    core.idCounts!(batch.give(ids), count);
    return batch.u8(Column.Output, count).slice();
  } finally {
    caches.giveBatch(batch);
  }
}

/** Places of the ids that a block holds. */
type LookUp = (reader: BlockReader) => Promise<number[]>;

function lookUpEach(ids: Uint8Array): LookUp {
  const order = Array.from({ length: ids.length / traceIdBytes }, (_, i) => i);
  order.sort((a, b) => Buffer.compare(traceIdAt(ids, a), traceIdAt(ids, b)));
  const sorted = pickTraceIds(ids, order);
  return async (reader) => {
    const places: number[] = [];
    const groups = await reader.rowGroups();
    for (let group = 0; group < groups; group++) {
      if ((await reader.groupSize(group)).rows > groupRowsMax) {
        return (await reader.findRows(sorted)).map(({ id }) => order[id]!);
      }
      const stored = await reader.traceIds(group);
      for (const place of order) {
        if (placeOfTraceId(stored, traceIdAt(ids, place)) >= 0) places.push(place);
      }
    }
    return places;
  };
}
