// Looking for a trace in a list of blocks.
import type { BlockMeta } from "../block/meta.ts";
import type { BlockReader } from "../block/read.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Store } from "../store/store.ts";
import type { FoundInBlocks } from "./api.ts";
import { eachBlock } from "./each_block.ts";
import type { SearchedTime } from "./search_job.ts";

/**
 * Looks for a trace in blocks, one after the other.
 *
 * @param searched a block outside of it that can't be read is passed over; null: none is
 * @throws ParquetError of a damaged block: an answer without its spans would look like a whole one
 */
export async function findInBlocks(
  store: Store,
  caches: ReadCaches,
  traceId: Uint8Array,
  metas: readonly BlockMeta[],
  searched: SearchedTime | null,
  signal: AbortSignal,
): Promise<FoundInBlocks> {
  const found: FoundInBlocks = { traces: [], places: [], inspectedBytes: 0 };
  const look = async (reader: BlockReader, place: number): Promise<void> => {
    const trace = await reader.findTrace(traceId, signal);
    if (trace) {
      found.traces.push(trace as Uint8Array<ArrayBuffer>);
      found.places.push(place);
    }
    found.inspectedBytes += reader.bytesRead;
  };
  await eachBlock(store, caches, metas, signal, look, searched);
  return found;
}
