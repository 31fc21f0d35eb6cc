// What is known of spans on their way in, from the receivers to the flushed block, as metrics: under Tempo's names
// where the meaning is the same (those of its distributor, its live-store, and its ingester before 3.0), else as rubato_*.
import { type Counter, type Histogram, metrics, type Registry } from "./metrics.ts";
import { workerMetrics } from "./worker_metrics.ts";

/** Totals are since the process started; what is replayed from the WAL at start is not received again. */
export interface IngestStats {
  tenants: TenantStats[];
  shards: ShardStats[];
  memory: {
    /** The budget from the config. */
    budgetBytes: number;
    /** What is held against it: queues, heads, caches. */
    usedBytes: number;
  };
}

/** Why spans were not kept, in Tempo's words. */
export type DiscardReason =
  | "rate_limited"
  | "trace_too_large"
  | "live_traces_exceeded"
  | "invalid_trace_id"
  | "invalid_span_id"
  | "unknown_error";

export type AttributeScope = "resource" | "scope" | "span" | "event" | "link";

export interface TenantStats {
  tenant: string;
  /** OTLP bytes of all requests, taken or not. */
  ingressBytes: number;
  /** OTLP bytes and spans of the requests that passed the rate limit. */
  receivedBytes: number;
  receivedSpans: number;
  /** Attribute keys and values that were cut, by where they stood. */
  attributesTruncated: Partial<Record<AttributeScope, number>>;
  discardedSpans: Partial<Record<DiscardReason, number>>;
  /** Traces in the tenant's heads now. */
  liveTraces: number;
  /** Traces that heads have begun. */
  tracesCreated: number;
}

export interface ShardStats {
  shard: number;
  /** Request bytes that wait for the shard. */
  queueBytes: number;
  headBytes: number;
  headSpans: number;
  /** Bytes of WAL segments that no block covers yet. */
  walBytes: number;
  /** Bytes that were acknowledged but not yet synced to the disk. */
  walUnsyncedBytes: number;
  /** Age of the oldest of those; 0 when there are none. */
  walUnsyncedMs: number;
  walAppendedBytes: number;
  walAppendedRecords: number;
  /** Times that waiting records were written together. */
  walWrites: number;
  walSyncs: number;
  /** Records read back at start. */
  replayedRecords: number;
  replayedSpans: number;
  /** Records that were skipped because their checksum or form was wrong. */
  corruptRecords: number;
  /** Segments that were set aside because of them. */
  corruptSegments: number;
  /** Share of the time that the worker was busy of late, 0 to 1, as its WorkerClient knows. */
  utilisation: number;
  /** CPU time of the worker's thread, as its WorkerClient knows; left out where nobody asked. */
  cpuMicros?: number;
}

type ShardNumber = Exclude<keyof ShardStats, "cpuMicros">;

/** Why a head was cut. */
export type CutReason = "age" | "bytes" | "budget" | "flush" | "shutdown" | "replay";

/** A head that became a block. */
export interface CutDone {
  tenant: string;
  reason: CutReason;
  spans: number;
  /** The block's data file. */
  bytes: number;
  seconds: number;
}

const flushSecondsBuckets: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** The metrics of ingest: reads the stats at each scrape, and is told of cuts as they happen. */
export class IngestMetrics {
  readonly #cuts: Counter<"reason">;
  readonly #cutSpans: Counter;
  readonly #cutBytes: Counter;
  readonly #cutFailures: Counter;
  readonly #completed: Counter;
  readonly #flushed: Counter;
  readonly #failedFlushes: Counter;
  readonly #flushSeconds: Histogram;

  constructor(stats: () => IngestStats | Promise<IngestStats>, registry: Registry = metrics) {
    this.#cuts = registry.counter("rubato_cuts_total", "Heads that became blocks, by what made them.", [
      "reason",
    ]);
    this.#cutSpans = registry.counter("rubato_cut_spans_total", "Spans written to fresh blocks.");
    this.#cutBytes = registry.counter("rubato_cut_bytes_total", "Bytes of the data files of fresh blocks.");
    this.#cutFailures = registry.counter(
      "rubato_cut_failures_total",
      "Cuts that failed; their spans stay in head and WAL.",
    );
    this.#completed = registry.counter(
      "tempo_live_store_blocks_completed_total",
      "Blocks written from live traces.",
    );
    this.#flushed = registry.counter(
      "tempo_ingester_blocks_flushed_total",
      "Blocks written from live traces.",
    );
    this.#failedFlushes = registry.counter(
      "tempo_ingester_failed_flushes_total",
      "Blocks that could not be written.",
    );
    this.#flushSeconds = registry.histogram(
      "tempo_ingester_flush_duration_seconds",
      "Time from the cut of a head to its block in the store.",
      flushSecondsBuckets,
    );
    const write = statsWriter(registry);
    registry.onCollect(async () => write(await stats()));
  }

  cutDone(cut: CutDone): void {
    this.#cuts.inc({ reason: cut.reason });
    this.#cutSpans.inc({}, cut.spans);
    this.#cutBytes.inc({}, cut.bytes);
    this.#completed.inc();
    this.#flushed.inc();
    this.#flushSeconds.observe({}, cut.seconds);
  }

  cutFailed(): void {
    this.#cutFailures.inc();
    this.#failedFlushes.inc();
  }
}

/** Defines the metrics that are read from the stats, and returns what sets them. */
function statsWriter(registry: Registry): (stats: IngestStats) => void {
  const tenantCounter = (name: string, help: string) => registry.counter(name, help, ["tenant"]);
  const ingress = tenantCounter(
    "tempo_distributor_ingress_bytes_total",
    "OTLP bytes received, before any limit.",
  );
  const bytes = tenantCounter(
    "tempo_distributor_bytes_received_total",
    "OTLP bytes received, after the rate limit.",
  );
  const spans = tenantCounter(
    "tempo_distributor_spans_received_total",
    "Spans received, after the rate limit.",
  );
  const truncated = registry.counter(
    "tempo_distributor_attributes_truncated_total",
    "Attribute keys and values that were cut to the configured length.",
    ["tenant", "scope"],
  );
  const discarded = registry.counter("tempo_discarded_spans_total", "Spans that were not kept.", [
    "reason",
    "tenant",
  ]);
  const liveGauges = ["tempo_live_store_live_traces", "tempo_ingester_live_traces"].map((name) =>
    registry.gauge(name, "Traces that are not in a block yet.", ["tenant"]),
  );
  const createdCounters = [
    "tempo_live_store_traces_created_total",
    "tempo_ingester_traces_created_total",
  ].map((name) => tenantCounter(name, "Traces begun."));

  const budget = registry.gauge(
    "rubato_memory_budget_bytes",
    "The memory budget for queues, heads and caches.",
  );
  const used = registry.gauge("rubato_memory_used_bytes", "What is held against the memory budget.");

  const shardGauges: [ReturnType<typeof shardGauge>, ShardNumber, number][] = [
    [shardGauge("rubato_shard_queue_bytes", "Request bytes that wait for the shard."), "queueBytes", 1],
    [shardGauge("rubato_head_bytes", "Memory of the shard's heads."), "headBytes", 1],
    [shardGauge("rubato_head_spans", "Spans in the shard's heads."), "headSpans", 1],
    [shardGauge("rubato_wal_bytes", "Bytes of WAL segments that no block covers yet."), "walBytes", 1],
    [
      shardGauge("rubato_wal_unsynced_bytes", "Acknowledged bytes that are not synced yet."),
      "walUnsyncedBytes",
      1,
    ],
    [
      shardGauge("rubato_wal_unsynced_seconds", "Age of the oldest of those bytes."),
      "walUnsyncedMs",
      1 / 1000,
    ],
  ];
  const shardCounters: [ReturnType<typeof shardCounter>, ShardNumber][] = [
    [shardCounter("rubato_wal_appended_bytes_total", "Bytes appended to the WAL."), "walAppendedBytes"],
    [shardCounter("rubato_wal_appended_records_total", "Records appended to the WAL."), "walAppendedRecords"],
    [shardCounter("rubato_wal_writes_total", "Writes to the WAL, each of all waiting records."), "walWrites"],
    [shardCounter("rubato_wal_syncs_total", "Syncs of the WAL."), "walSyncs"],
    [shardCounter("rubato_wal_replayed_records_total", "WAL records read back at start."), "replayedRecords"],
    [shardCounter("rubato_wal_replayed_spans_total", "Spans read back at start."), "replayedSpans"],
    [shardCounter("rubato_wal_corrupt_records_total", "WAL records skipped as corrupt."), "corruptRecords"],
    [
      shardCounter("rubato_wal_corrupt_segments_total", "WAL segments set aside as corrupt."),
      "corruptSegments",
    ],
  ];
  const setWorker = workerMetrics(registry);
  function shardGauge(name: string, help: string) {
    return registry.gauge(name, help, ["shard"]);
  }
  function shardCounter(name: string, help: string) {
    return registry.counter(name, help, ["shard"]);
  }

  const perTenant = [ingress, bytes, spans, truncated, discarded, ...liveGauges, ...createdCounters];
  return (stats) => {
    // Written anew and added up, because tenants beyond the limit of a metric share one series.
    for (const metric of perTenant) metric.clear();
    for (const each of stats.tenants) {
      const { tenant } = each;
      ingress.inc({ tenant }, each.ingressBytes);
      bytes.inc({ tenant }, each.receivedBytes);
      spans.inc({ tenant }, each.receivedSpans);
      for (const scope in each.attributesTruncated) {
        truncated.inc({ tenant, scope }, each.attributesTruncated[scope as AttributeScope]);
      }
      for (const reason in each.discardedSpans) {
        discarded.inc({ reason, tenant }, each.discardedSpans[reason as DiscardReason]);
      }
      for (const gauge of liveGauges) gauge.inc({ tenant }, each.liveTraces);
      for (const counter of createdCounters) counter.inc({ tenant }, each.tracesCreated);
    }
    for (const each of stats.shards) {
      const shard = String(each.shard);
      for (const [gauge, field, scale] of shardGauges) gauge.set({ shard }, each[field] * scale);
      for (const [counter, field] of shardCounters) counter.setTotal({ shard }, each[field]);
      setWorker({ name: `shard ${shard}`, utilisation: each.utilisation, cpuMicros: each.cpuMicros });
    }
    budget.set({}, stats.memory.budgetBytes);
    used.set({}, stats.memory.usedBytes);
  };
}
