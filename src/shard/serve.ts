// A shard as a worker: its calls, and what it needs from the configuration and the store.

import { parseMeta } from "../block/meta.ts";
import { writeBlock } from "../block/write.ts";
import type { Config } from "../config/config.ts";
import { buffersOfMeasured } from "../jobs/measure_job.ts";
import { buffersOf } from "../jobs/search_job.ts";
import { readIfThere } from "../store/read_if_there.ts";
import { openStore } from "../store/store.ts";
import { log } from "../telemetry/log.ts";
import { profileHandlers } from "../telemetry/profile_calls.ts";
import { serveCalls } from "../threads/call.ts";
import type { BlockWritten, CutEvent, CutFailed, ShardApi, ShardOptions } from "./api.ts";
import { blockOptions } from "./block_options.ts";
import { replay } from "./replay.ts";
import { Shard, type ShardStore } from "./shard.ts";
import { WalDirectory } from "./wal_directory.ts";

/** Runs a shard in this worker until the worker is ended. */
export function serveShard(options: ShardOptions): void {
  const { config, shard: index, shards, memoryBytesMax } = options;
  log.configure(options.log);
  const { wal } = config.storage.trace;
  const directory = new WalDirectory(wal.path, index, shards, wal.sync !== "off");
  const unlisted = new Map<string, () => void>();
  const settings = {
    memoryBytesMax,
    sync: wal.sync,
    syncIntervalMs: wal.sync_interval,
    blockBytesMax: config.live_store.max_block_bytes,
    attributeBytesMax:
      config.overrides.defaults.ingestion.max_attribute_bytes || config.distributor.max_attribute_bytes,
  };
  const shard = new Shard(settings, directory, storeOf(config), {
    listBlock: (meta) =>
      new Promise((resolve) => {
        unlisted.set(meta.blockID, resolve);
        emit("block", { meta } satisfies BlockWritten);
      }),
    cutDone: (cut) => emit("cut", cut satisfies CutEvent),
    cutFailed: (tenant, error) => emit("cutFailed", { tenant, message: error.message } satisfies CutFailed),
    broke: (error) => {
      setImmediate(() => {
        throw error; // nobody catches it here: the worker ends
      });
    },
  });
  const { emit } = serveCalls<ShardApi>({
    ...profileHandlers,
    replay: async () => {
      await replay(shard);
      return null;
    },
    append: async ({ tenant, request }) => {
      await shard.append(tenant, request);
      return null;
    },
    find: ({ tenant, traceId }, context) => {
      const traces = shard.find(tenant, traceId) as Uint8Array<ArrayBuffer>[];
      for (const trace of traces) context.transfer(trace.buffer);
      return traces;
    },
    findAll: ({ tenant, ids, bytesMax }, context) => {
      const found = shard.findAll(tenant, ids, bytesMax);
      for (const trace of found.traces) context.transfer(trace.buffer);
      return found;
    },
    search: async (params, context) => {
      const found = await (await headQueries()).search(shard, params, context.signal);
      for (const buffer of buffersOf(found)) context.transfer(buffer);
      return found;
    },
    measure: async (params, context) => {
      const measured = await (await headQueries()).measure(shard, params, context.signal);
      for (const buffer of buffersOfMeasured(measured)) context.transfer(buffer);
      return measured;
    },
    traceIds: ({ tenant }, context) => {
      const ids = shard.traceIds(tenant);
      context.transfer(ids.buffer);
      return ids;
    },
    locate: async (params, context) => {
      const places = (await headQueries()).locate(shard, params);
      context.transfer(places.buffer);
      return places;
    },
    tagNames: async (params) => (await headQueries()).tagNames(shard, params),
    tagValues: async (params) => (await headQueries()).tagValues(shard, params),
    flush: ({ tenant, reason }) => shard.flush(tenant, reason),
    cutAged: ({ ageMsMax }) => {
      shard.cutAged(ageMsMax);
      return null;
    },
    blockListed: ({ blockId }) => {
      unlisted.get(blockId)?.();
      unlisted.delete(blockId);
      return null;
    },
    stats: () => shard.report(),
  });
}

const headQueries = () => import("./head_queries.ts");

function storeOf(config: Config): ShardStore {
  const store = openStore(config);
  return {
    writeBlock: (head, pause) =>
      writeBlock(head.batch, store, blockOptions(config, head.tenant, head.blockId), pause),
    findBlock: async (tenant, blockId) => {
      const meta = await readIfThere(store, `${tenant}/${blockId}/meta.json`);
      if (meta) return parseMeta(new TextDecoder().decode(meta));
      return (await readIfThere(store, `${tenant}/${blockId}/meta.compacted.json`)) ? "compacted" : null;
    },
    dropPartial: (tenant, blockId) => store.deleteAll(`${tenant}/${blockId}`),
  };
}
