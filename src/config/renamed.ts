// Names of Tempo 2.x that live on under another name, and the other aliases: read as what they are called now.

export interface Renamed {
  from: string;
  /** The first one is what a warning names. */
  to: readonly string[];
  note: string;
}

const oldName = "Tempo 2.x's name";
const flatForm = "Tempo 2.x's flat form";

const compactionKeys = [
  "compaction_window",
  "max_compaction_objects",
  "max_block_bytes",
  "block_retention",
  "compacted_block_retention",
  "retention_concurrency",
  "max_time_per_tenant",
  "compaction_cycle",
];

/** A tenant's limits as they stood side by side under `overrides`, and where they are under `overrides.defaults`. */
const flatLimits: Readonly<Record<string, string>> = {
  ingestion_rate_strategy: "ingestion.rate_strategy",
  ingestion_rate_limit_bytes: "ingestion.rate_limit_bytes",
  ingestion_burst_size_bytes: "ingestion.burst_size_bytes",
  max_traces_per_user: "ingestion.max_traces_per_user",
  max_global_traces_per_user: "ingestion.max_global_traces_per_user",
  ingestion_tenant_shard_size: "ingestion.tenant_shard_size",
  ingestion_max_attribute_bytes: "ingestion.max_attribute_bytes",
  ingestion_artificial_delay: "ingestion.artificial_delay",
  ingestion_retry_info_enabled: "ingestion.retry_info_enabled",
  max_bytes_per_tag_values_query: "read.max_bytes_per_tag_values_query",
  max_blocks_per_tag_values_query: "read.max_blocks_per_tag_values_query",
  max_condition_groups_per_tag_query: "read.max_condition_groups_per_tag_query",
  max_search_duration: "read.max_search_duration",
  max_metrics_duration: "read.max_metrics_duration",
  unsafe_query_hints: "read.unsafe_query_hints",
  left_pad_trace_ids: "read.left_pad_trace_ids",
  metrics_spanonly_fetch: "read.metrics_spanonly_fetch",
  block_retention: "compaction.block_retention",
  compaction_window: "compaction.compaction_window",
  compaction_disabled: "compaction.compaction_disabled",
  max_bytes_per_trace: "global.max_bytes_per_trace",
  parquet_dedicated_columns: "storage.parquet_dedicated_columns",
  forwarders: "forwarders",
  cost_attribution: "cost_attribution",
  metrics_generator_forwarder_queue_size: "metrics_generator.forwarder.queue_size",
  metrics_generator_forwarder_workers: "metrics_generator.forwarder.workers",
  ...prefixed("metrics_generator_", "metrics_generator.", [
    "ring_size",
    "processors",
    "max_active_series",
    "max_active_entities",
    "collection_interval",
    "disable_collection",
    "generate_native_histograms",
    "native_histogram_bucket_factor",
    "native_histogram_max_bucket_number",
    "native_histogram_min_reset_duration",
    "trace_id_label_name",
    "remote_write_headers",
    "ingestion_time_range_slack",
    "span_name_sanitization",
    "max_cardinality_per_label",
  ]),
  ...prefixed("metrics_generator_processor_service_graphs_", "metrics_generator.processor.service_graphs.", [
    "histogram_buckets",
    "dimensions",
    "peer_attributes",
    "filter_policies",
    "enable_client_server_prefix",
    "enable_messaging_system_latency_histogram",
    "enable_virtual_node_label",
    "span_multiplier_key",
    "enable_tracestate_span_multiplier",
  ]),
  ...prefixed("metrics_generator_processor_span_metrics_", "metrics_generator.processor.span_metrics.", [
    "histogram_buckets",
    "dimensions",
    "intrinsic_dimensions",
    "filter_policies",
    "dimension_mappings",
    "enable_target_info",
    "target_info_excluded_dimensions",
    "enable_instance_label",
    "span_multiplier_key",
    "enable_tracestate_span_multiplier",
  ]),
  ...prefixed("metrics_generator_processor_host_info_", "metrics_generator.processor.host_info.", [
    "host_identifiers",
    "metric_name",
  ]),
};

function prefixed(flat: string, scoped: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [flat + name, scoped + name]));
}

export const renamed: readonly Renamed[] = [
  { from: "auth_enabled", to: ["multitenancy_enabled"], note: oldName },
  { from: "ingester.max_block_duration", to: ["live_store.max_block_duration"], note: oldName },
  { from: "ingester.max_block_bytes", to: ["live_store.max_block_bytes"], note: oldName },
  // Of the two that it has become, the one that acts first: retention is the worker's, what is merged the scheduler's.
  ...compactionKeys.map((name) => {
    const worker = `backend_worker.compaction.${name}`;
    const scheduler = `backend_scheduler.provider.compaction.compaction.${name}`;
    return {
      from: `compactor.compaction.${name}`,
      to: name.includes("retention") ? [worker, scheduler] : [scheduler, worker],
      note: oldName,
    };
  }),
  { from: "live_store.wal.path", to: ["storage.trace.wal.path"], note: "there is one log" },
  ...Object.entries(flatLimits).map(([flat, scoped]) => ({
    from: `overrides.${flat}`,
    to: [`overrides.defaults.${scoped}`],
    note: flatForm,
  })),
];
