// Looking for a trace in a list of blocks.
import type { BlockMeta } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { RowRange } from "../block/read_plan.ts";
import type { Store } from "../store/store.ts";
import type { FoundInBlocks } from "./api.ts";
import { eachBlock } from "./each_block.ts";
import type { SearchedTime } from "./search_job.ts";

/** Blocks of a job that are asked at once where each takes requests over a network. */
const remoteBlocksAtOnce = 4;

/**
 * Looks for a trace in blocks.
 *
 * @param rows by place of the block, those between which the trace is if it is there; null where that is not known
 * @param searched a block outside of it that can't be read is passed over; null: none is
 * @throws ParquetError of a damaged block: an answer without its spans would look like a whole one
 */
export async function findInBlocks(
  store: Store,
  caches: ReadCaches,
  traceId: Uint8Array,
  metas: readonly BlockMeta[],
  rows: readonly (RowRange | null)[],
  searched: SearchedTime | null,
  signal: AbortSignal,
): Promise<FoundInBlocks> {
  const found: FoundInBlocks = { traces: [], places: [], inspectedBytes: 0 };
  const look = async (reader: BlockReader, place: number): Promise<void> => {
    const trace = await reader.findTrace(traceId, rows[place] ?? null, signal);
    if (trace) {
      found.traces.push(trace as Uint8Array<ArrayBuffer>);
      found.places.push(place);
    }
    found.inspectedBytes += reader.bytesRead;
  };
  const atOnce = store.remote ? remoteBlocksAtOnce : 1;
  await eachBlock(store, caches, metas, signal, look, searched, atOnce);
  return found;
}
