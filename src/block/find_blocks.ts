// The block worker's work: looking for a trace in a list of blocks.
import type { Config, LogFormat, LogLevel } from "../config/config.ts";
import { openStore, type Store, StoreNotFound } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { type ProfileCalls, profileHandlers } from "../telemetry/profile_calls.ts";
import { serveCalls } from "../threads/call.ts";
import type { BlockMeta } from "./meta.ts";
import { BlockReader, type ReadCacheLimits, ReadCaches } from "./read.ts";

/** Time after which a job lets other messages in, its cancellation among them. */
const sliceMs = 4;

/** Given to the worker when it is started. */
export interface BlockWorkerOptions {
  config: Config;
  caches: ReadCacheLimits;
  log: { level: LogLevel; format: LogFormat };
}

export interface FoundInBlocks {
  /** OTLP TracesData, one of each block that holds a part, in the order of the blocks. */
  traces: Uint8Array<ArrayBuffer>[];
  /** The place of each one's block in the list. */
  places: number[];
  inspectedBytes: number;
}

export interface BlockApi extends ProfileCalls {
  findTrace: { params: { traceId: Uint8Array; metas: BlockMeta[] }; result: FoundInBlocks };
}

/** Serves the calls of the pool. */
export function serveBlocks(options: BlockWorkerOptions): void {
  log.configure(options.log);
  const store = openStore(options.config);
  const caches = new ReadCaches(options.caches);
  serveCalls<BlockApi>({
    ...profileHandlers,
    async findTrace({ traceId, metas }, context) {
      const found = await findInBlocks(store, caches, traceId, metas, context.signal);
      for (const trace of found.traces) context.transfer(trace.buffer);
      return found;
    },
  });
}

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
  let sliceStart = performance.now();
  for (const [place, meta] of metas.entries()) {
    const reader = await BlockReader.open(store, meta, caches);
    try {
      const trace = await reader.findTrace(traceId, signal);
      if (trace) {
        found.traces.push(trace as Uint8Array<ArrayBuffer>);
        found.places.push(place);
      }
    } catch (error) {
      if (!(error instanceof StoreNotFound) || (await isListed(store, meta))) throw named(error, meta);
      // Deleted since it was listed; what replaced it is listed too.
    }
    found.inspectedBytes += reader.bytesRead;
    if (performance.now() - sliceStart > sliceMs) {
      // Local reads never leave the microtask queue, so that a cancellation would not get through.
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      sliceStart = performance.now();
    }
  }
  return found;
}

async function isListed(store: Store, { tenantID, blockID }: BlockMeta): Promise<boolean> {
  for (const name of ["meta.json", "meta.compacted.json"]) {
    try {
      await store.modified(`${tenantID}/${blockID}/${name}`);
      return true;
    } catch (error) {
      if (!(error instanceof StoreNotFound)) throw error;
    }
  }
  return false;
}

/** Says in the error which block it is about. */
function named(error: unknown, { tenantID, blockID }: BlockMeta): unknown {
  if (error instanceof Error && "code" in error && error.name !== "AbortError") {
    error.message = `block ${tenantID}/${blockID}: ${error.message}`;
  }
  return error;
}
