// Looking for a trace in a list of blocks.
import type { BlockMeta } from "../block/meta.ts";
import type { ReadCaches } from "../block/read_caches.ts";
import type { Store } from "../store/store.ts";
import type { FoundInBlocks } from "./api.ts";
import { eachBlock } from "./each_block.ts";

/**
 * Looks for a trace in blocks, one after the other.
 *
 * @throws ParquetError of a damaged block: an answer without its spans would look like a whole one
 */
export async function findInBlocks(
  store: Store,
  caches: ReadCaches,
  traceId: Uint8Array,
  metas: readonly BlockMeta[],
  signal: AbortSignal,
): Promise<FoundInBlocks> {
  const found: FoundInBlocks = { traces: [], places: [], inspectedBytes: 0 };
  await eachBlock(store, caches, metas, signal, async (reader, place) => {
    const trace = await reader.findTrace(traceId, signal);
    if (trace) {
      found.traces.push(trace as Uint8Array<ArrayBuffer>);
      found.places.push(place);
    }
    found.inspectedBytes += reader.bytesRead;
  });
  return found;
}
