import { expect, test } from "bun:test";
import { IngestMetrics, type IngestStats, type ShardStats, type TenantStats } from "./ingest_metrics.ts";
import { Registry, seriesPerMetricMax } from "./metrics.ts";
import { QueryMetrics } from "./query_metrics.ts";
import { StoreMetrics } from "./store_metrics.ts";

async function lines(registry: Registry): Promise<string[]> {
  return (await registry.render()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

function tenant(name: string, changes: Partial<TenantStats> = {}): TenantStats {
  return {
    tenant: name,
    ingressBytes: 0,
    receivedBytes: 0,
    receivedSpans: 0,
    attributesTruncated: {},
    discardedSpans: {},
    liveTraces: 0,
    tracesCreated: 0,
    ...changes,
  };
}

const shard: ShardStats = {
  shard: 1,
  queueBytes: 1,
  headBytes: 2,
  headSpans: 3,
  walBytes: 4,
  walUnsyncedBytes: 5,
  walUnsyncedMs: 250,
  walAppendedBytes: 6,
  walAppendedRecords: 7,
  walWrites: 8,
  walSyncs: 9,
  replayedRecords: 10,
  replayedSpans: 11,
  corruptRecords: 12,
  corruptSegments: 13,
  utilisation: 0.75,
  cpuMicros: 1_500_000,
};

test("IngestMetrics shows the stats under Tempo's names and ours", async () => {
  const registry = new Registry();
  const stats: IngestStats = {
    tenants: [
      tenant("single-tenant", {
        ingressBytes: 100,
        receivedBytes: 90,
        receivedSpans: 8,
        attributesTruncated: { span: 2, resource: 1 },
        discardedSpans: { rate_limited: 3 },
        liveTraces: 4,
        tracesCreated: 5,
      }),
    ],
    shards: [shard],
    memory: { budgetBytes: 1000, usedBytes: 400 },
  };
  const ingest = new IngestMetrics(() => stats, registry);
  ingest.cutDone({ tenant: "single-tenant", reason: "age", spans: 70, bytes: 5000, seconds: 0.3 });
  ingest.cutDone({ tenant: "single-tenant", reason: "budget", spans: 30, bytes: 2000, seconds: 0.7 });
  ingest.cutFailed();
  const got = await lines(registry);
  for (const line of [
    'tempo_distributor_ingress_bytes_total{tenant="single-tenant"} 100',
    'tempo_distributor_bytes_received_total{tenant="single-tenant"} 90',
    'tempo_distributor_spans_received_total{tenant="single-tenant"} 8',
    'tempo_distributor_attributes_truncated_total{tenant="single-tenant",scope="span"} 2',
    'tempo_distributor_attributes_truncated_total{tenant="single-tenant",scope="resource"} 1',
    'tempo_discarded_spans_total{reason="rate_limited",tenant="single-tenant"} 3',
    'tempo_live_store_live_traces{tenant="single-tenant"} 4',
    'tempo_ingester_live_traces{tenant="single-tenant"} 4',
    'tempo_live_store_traces_created_total{tenant="single-tenant"} 5',
    'tempo_ingester_traces_created_total{tenant="single-tenant"} 5',
    "tempo_live_store_blocks_completed_total 2",
    "tempo_ingester_blocks_flushed_total 2",
    "tempo_ingester_failed_flushes_total 1",
    'tempo_ingester_flush_duration_seconds_bucket{le="0.5"} 1',
    "tempo_ingester_flush_duration_seconds_sum 1",
    'rubato_cuts_total{reason="age"} 1',
    'rubato_cuts_total{reason="budget"} 1',
    "rubato_cut_spans_total 100",
    "rubato_cut_bytes_total 7000",
    "rubato_cut_failures_total 1",
    "rubato_memory_budget_bytes 1000",
    "rubato_memory_used_bytes 400",
    'rubato_shard_queue_bytes{shard="1"} 1',
    'rubato_head_bytes{shard="1"} 2',
    'rubato_head_spans{shard="1"} 3',
    'rubato_wal_bytes{shard="1"} 4',
    'rubato_wal_unsynced_bytes{shard="1"} 5',
    'rubato_wal_unsynced_seconds{shard="1"} 0.25',
    'rubato_wal_appended_bytes_total{shard="1"} 6',
    'rubato_wal_appended_records_total{shard="1"} 7',
    'rubato_wal_writes_total{shard="1"} 8',
    'rubato_wal_syncs_total{shard="1"} 9',
    'rubato_wal_replayed_records_total{shard="1"} 10',
    'rubato_wal_replayed_spans_total{shard="1"} 11',
    'rubato_wal_corrupt_records_total{shard="1"} 12',
    'rubato_wal_corrupt_segments_total{shard="1"} 13',
    'rubato_worker_utilisation{worker="shard 1"} 0.75',
    'rubato_worker_cpu_seconds_total{worker="shard 1"} 1.5',
  ]) {
    expect(got).toContain(line);
  }

  stats.tenants = [tenant("other", { liveTraces: 1 })];
  expect((await lines(registry)).filter((line) => line.startsWith("tempo_live_store_live_traces"))).toEqual([
    'tempo_live_store_live_traces{tenant="other"} 1',
  ]);
});

test("IngestMetrics adds up the tenants that are beyond the bound", async () => {
  const registry = new Registry();
  const tenants = Array.from({ length: seriesPerMetricMax + 3 }, (_, i) =>
    tenant(`t${i}`, { receivedSpans: 2 }),
  );
  new IngestMetrics(() => ({ tenants, shards: [], memory: { budgetBytes: 0, usedBytes: 0 } }), registry);
  for (let scrape = 0; scrape < 2; scrape++) {
    const spans = (await lines(registry)).filter((line) =>
      line.startsWith("tempo_distributor_spans_received_total"),
    );
    expect(spans.length).toBe(seriesPerMetricMax + 1);
    expect(spans.at(-1)).toBe('tempo_distributor_spans_received_total{tenant="__overflow__"} 6');
  }
});

test("QueryMetrics counts queries and bytes, and shows a single tenant's series from the start", async () => {
  const registry = new Registry();
  const queries = new QueryMetrics("single-tenant", registry);
  expect(await lines(registry)).toContain(
    'tempo_query_frontend_queries_total{tenant="single-tenant",op="metrics",result="completed"} 0',
  );
  const end = queries.begin("single-tenant", "traces");
  expect(await lines(registry)).toContain("rubato_queries_running 1");
  end("canceled", 500);
  const got = await lines(registry);
  expect(got).toContain(
    'tempo_query_frontend_queries_total{tenant="single-tenant",op="traces",result="canceled"} 1',
  );
  expect(got).toContain('tempo_query_frontend_bytes_inspected_total{tenant="single-tenant",op="traces"} 500');
  expect(got).toContain("rubato_queries_running 0");
});

test("StoreMetrics shows the block list, the pool and polls", async () => {
  const registry = new Registry();
  const store = new StoreMetrics(
    () => ({
      tenants: [
        {
          tenant: "t",
          blocks: 3,
          bytes: 900,
          traces: 30,
          compactedBlocks: 1,
          compactedBytes: 100,
          compactedTraces: 4,
        },
      ],
      polls: [
        { tenant: "", errors: 1, indexErrors: 0, builtIndex: false, indexAgeSeconds: 0 },
        { tenant: "t", errors: 2, indexErrors: 3, builtIndex: false, indexAgeSeconds: 60 },
      ],
      pool: {
        queuedJobs: 2,
        queuedJobsMax: 50,
        workers: [{ name: "block 0", utilisation: 0.5, cpuMicros: 0 }],
      },
    }),
    registry,
  );
  store.pollDone(0.02);
  const got = await lines(registry);
  for (const line of [
    'tempodb_blocklist_length{tenant="t"} 3',
    'tempodb_compacted_blocklist_length{tenant="t"} 1',
    'rubato_blocks_bytes{tenant="t"} 900',
    'tempodb_backend_bytes_total{tenant="t",status="live"} 900',
    'tempodb_backend_bytes_total{tenant="t",status="compacted"} 100',
    'tempodb_backend_objects_total{tenant="t",status="live"} 30',
    'tempodb_backend_objects_total{tenant="t",status="compacted"} 4',
    "tempodb_blocklist_poll_errors_total 1",
    'tempodb_blocklist_poll_errors_total{tenant="t"} 2',
    'tempodb_blocklist_tenant_index_errors_total{tenant="t"} 3',
    'tempodb_blocklist_tenant_index_builder{tenant="t"} 0',
    'tempodb_blocklist_tenant_index_age_seconds{tenant="t"} 60',
    "tempodb_work_queue_length 2",
    "tempodb_work_queue_max 50",
    'rubato_worker_utilisation{worker="block 0"} 0.5',
    'tempodb_blocklist_poll_duration_seconds_bucket{le="0.1"} 1',
  ]) {
    expect(got).toContain(line);
  }
});
