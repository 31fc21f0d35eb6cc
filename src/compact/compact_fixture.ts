// For tests of compaction: small blocks with known spans, what a store really holds as hyparquet reads it, and a clock that stands still.
import { attribute, field, id, message, span, text, varintField } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions, type Row, readRows } from "../block/encode_fixture.ts";
import { type BlockMeta, blockVersions, parseMeta } from "../block/meta.ts";
import { type BlockWriteOptions, writeBlock } from "../block/write.ts";
import { BlockList } from "../store/block_list.ts";
import type { Clock } from "../store/clock.ts";
import { readLease, replacedBlocks, unmadeBlocks } from "../store/compaction_lease.ts";
import type { MemoryStore } from "../store/memory_store_fixture.ts";
import type { Store } from "../store/store.ts";
import { compactJob } from "./compact_job.ts";
import { Compactor, type CompactorDeps } from "./compactor.ts";
import type { MergeOptions } from "./merge_blocks.ts";
import type { CompactionSettings } from "./settings.ts";

/** A span that is told from others by its numbers. */
export interface SpanOf {
  trace: number;
  span: number;
  /** 0: a root. */
  parent?: number;
  name?: string;
  service?: string;
  /** Seconds since the start of the test's day. */
  second?: number;
}

export const dayMs = Date.UTC(2026, 0, 2);

export function requestOf(spans: readonly SpanOf[]): Uint8Array {
  const resourceSpans = spans.map(
    ({ trace, span: number, parent = 0, name = "n", service = "s", second = 0 }) => {
      const start = (BigInt(dayMs) + BigInt(second) * 1000n) * 1_000_000n;
      const wire = span({
        trace: id(16, trace),
        id: number,
        name,
        start,
        end: start + 1000n,
        fields: [
          varintField(6, 2n),
          ...(parent > 0 ? [field(4, id(8, parent))] : []),
          field(9, attribute("number", varintField(3, BigInt(number)))),
        ],
      });
      const resource = message(field(1, attribute("service.name", text(1, service))));
      return field(1, message(field(1, resource), field(2, message(field(2, wire)))));
    },
  );
  return message(...resourceSpans);
}

/** Writes a block as a flush does. */
export function blockOf(
  store: Store,
  spans: readonly SpanOf[],
  options: Partial<BlockWriteOptions> = {},
): Promise<BlockMeta> {
  const blockId = crypto.randomUUID();
  return writeBlock(
    batchOf([requestOf(spans)]),
    store,
    { ...defaultOptions, blockId, ...options },
    async () => {},
  );
}

/** A span as text: what two that are the same have the same. */
export function spanTexts(rows: Row[]): string[] {
  return rows.flatMap((row) =>
    row.rs.flatMap(({ Resource, ss }: Row) =>
      ss.flatMap(({ Spans }: Row) =>
        Spans.map((one: Row) =>
          [
            row.TraceIDText,
            Buffer.from(one.SpanID).toString("hex"),
            Buffer.from(one.ParentSpanID).toString("hex"),
            one.Name,
            one.Kind,
            one.StartTimeUnixNano,
            one.DurationNano,
            Resource.ServiceName,
            // hyparquet has null for a bare list without elements.
            ...one.Attrs.map(({ Key, Value, ValueInt }: Row) => `${Key}=${Value ?? ""}${ValueInt ?? ""}`),
          ].join(" "),
        ),
      ),
    ),
  );
}

/** Ids of the blocks that a reader finds live. */
export async function liveBlocks(store: MemoryStore, tenant = defaultOptions.tenant): Promise<string[]> {
  const ids = await store.list(tenant);
  const lease = await readLease(store, tenant);
  const replaced = lease && replacedBlocks(lease);
  const isThere = replaced !== null && store.objects.has(`${tenant}/${replaced.output}/meta.json`);
  const hidden = [...(lease ? unmadeBlocks(lease) : []), ...(isThere ? replaced.inputs : [])];
  return ids.filter((id) => store.objects.has(`${tenant}/${id}/meta.json`) && !hidden.includes(id));
}

/** Every stored span, as often as it is found, in order. */
export async function storedSpans(store: MemoryStore, tenant = defaultOptions.tenant): Promise<string[]> {
  const found: string[] = [];
  for (const id of await liveBlocks(store, tenant)) {
    const { bytes } = store.objects.get(`${tenant}/${id}/data.parquet`)!;
    found.push(...spanTexts(await readRows(bytes)));
  }
  return found.sort();
}

export async function readMeta(store: Store, { tenantID, blockID }: BlockMeta): Promise<BlockMeta> {
  return parseMeta(new TextDecoder().decode(await store.read(`${tenantID}/${blockID}/meta.json`)));
}

export const mergeOptions: Omit<MergeOptions, "blockId"> = {
  rowGroupSpansMax: 1000,
  pageBytesMax: 1 << 16,
  zstdLevel: 1,
  bloomFalsePositive: 0.01,
  bloomShardBytes: 1024,
};

export const settings: CompactionSettings = {
  disabled: false,
  select: {
    windowMs: 3_600_000,
    inputBlocksMin: 2,
    inputBlocksMax: 4,
    objectsMax: 1_000_000,
    blockBytesMax: 1 << 30,
    levelMax: 0,
    versions: new Set(blockVersions),
  },
  merge: () => mergeOptions,
  tenantMsMax: 300_000,
  tenantJobsMax: 1000,
};

/** Timers that run when the time is moved on. */
export class ManualClock implements Clock {
  ms = 0;
  #timers = new Set<{ at: number; run: () => void }>();

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.ms + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  async advance(ms: number): Promise<void> {
    const end = this.ms + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.ms = Math.max(this.ms, next.at);
      this.#timers.delete(next);
      next.run();
      await settled();
    }
    this.ms = end;
  }
}

/** Lets everything happen that waits for no timer. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** A process that compacts: its own list of blocks, over a store that it may share. */
export async function processOn(
  store: Store,
  clock: ManualClock,
  deps: Partial<CompactorDeps> = {},
): Promise<{ compactor: Compactor; blocks: BlockList; run: () => Promise<void> }> {
  const blocks = new BlockList(store, { compactedMsMax: 0 });
  await blocks.load();
  const compactor = new Compactor({
    store,
    blocks,
    settings,
    merge: (params, signal) => compactJob(store, params, signal),
    isBusy: () => false,
    clock,
    now: () => clock.ms,
    // Three days on, so that all is merged in whole windows.
    unixMs: () => dayMs + 3 * 86_400_000,
    ...deps,
  });
  const { signal } = new AbortController();
  return { compactor, blocks, run: async () => void (await compactor.run(signal)) };
}
