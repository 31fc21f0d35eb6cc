// Every key that Rubato reads, with its default: the one place that says what the configuration is made of. The
// defaults are Tempo's unless a comment gives a reason. Keys of Tempo's that mean nothing here stand in ignored.ts.
import { defaultDedicatedColumns } from "../block/dedicated.ts";
import { newBlockVersions } from "../block/new_block_versions.ts";
import { cacheBytesMax } from "../store/chunk_limits.ts";
import type {
  CompactionConfig,
  Config,
  LiveStoreConfig,
  OverridesConfig,
  QuerierConfig,
  QueryFrontendConfig,
  ReceiversConfig,
  ServerConfig,
  TraceStorageConfig,
} from "./config.ts";
import { dedicatedColumns } from "./dedicated_columns.ts";
import {
  type AnyTable,
  bool,
  bytes,
  choice,
  duration,
  float,
  int,
  labels,
  secret,
  string,
  type Table,
  urlPrefix,
} from "./key.ts";

const portRange = { max: 65_535 };

const server: Table<ServerConfig> = {
  http_listen_address: string(),
  http_listen_port: int(3200, portRange),
  grpc_listen_address: string(),
  grpc_listen_port: int(9095, portRange),
  graceful_shutdown_timeout: duration("30s"),
  http_server_read_timeout: duration("30s"),
  http_server_read_header_timeout: duration("0s"),
  http_server_write_timeout: duration("30s"),
  http_server_idle_timeout: duration("2m"),
  grpc_server_max_recv_msg_size: bytes(16_777_216),
  grpc_server_max_send_msg_size: bytes(16_777_216),
  grpc_server_max_concurrent_streams: int(100),
  grpc_reflection_enabled: bool(false),
  log_format: choice(["logfmt", "json"], "logfmt"),
  log_level: choice(["debug", "info", "warn", "error"], "info"),
  http_path_prefix: urlPrefix(),
};

/** The body limit of an OTLP/HTTP receiver, and of an OTLP/gRPC one in MiB, when the file gives none or 0. */
export const httpBodyBytesDefault = 20 * 1024 * 1024;
export const grpcMessageMibDefault = 4;

const receivers: Table<ReceiversConfig> = {
  otlp: {
    protocols: {
      grpc: { endpoint: string("localhost:4317"), max_recv_msg_size_mib: int(grpcMessageMibDefault) },
      http: {
        endpoint: string("localhost:4318"),
        traces_url_path: string("/v1/traces"),
        max_request_body_size: bytes(httpBodyBytesDefault),
      },
    },
  },
};

const querier: Table<QuerierConfig> = {
  block_workers: int(0, { max: 1024 }),
  trace_by_id: { query_timeout: duration("10s") },
  search: { query_timeout: duration("30s") },
  max_concurrent_queries: int(20),
};

const queryFrontend: Table<QueryFrontendConfig> = {
  api_timeout: duration("0s"),
  max_outstanding_per_tenant: int(2000),
  multi_tenant_queries_enabled: bool(true),
  max_grpc_streaming_packet_size: bytes(2_097_152),
  max_query_expression_size_bytes: bytes(131_072),
  // Tempo keeps the newest 30 s out of answers; here a span is found as soon as it is acknowledged.
  query_end_cutoff: duration("0s"),
  search: {
    concurrent_jobs: int(1000),
    target_bytes_per_job: bytes(104_857_600),
    default_result_limit: int(20, { min: 1 }),
    max_result_limit: int(262_144),
    max_duration: duration("168h"),
    // Live data and blocks are always both searched; this is how far back a request goes that says nothing of time.
    query_backend_after: duration("15m"),
    default_spans_per_span_set: int(3),
    max_spans_per_span_set: int(100),
  },
  metrics: {
    concurrent_jobs: int(1000),
    target_bytes_per_job: bytes(104_857_600),
    // A week where Tempo allows a day: a metrics query costs a small part of what it costs there.
    max_duration: duration("168h"),
    query_backend_after: duration("15m"),
    interval: duration("5m"),
    max_exemplars: int(100),
    max_intervals: int(10_000),
    max_response_series: int(0),
  },
  mcp_server: { enabled: bool(false) },
};

const hedging = { hedge_requests_at: duration("0s"), hedge_requests_up_to: int(2) };

const traceStorage: Table<TraceStorageConfig> = {
  backend: choice(["local", "s3", "gcs", "azure"], "local"),
  // Paths that the file leaves out are chosen in paths.ts.
  local: { path: string(), reserve_bytes: bytes(268_435_456) },
  wal: {
    path: string(),
    sync: choice(["always", "interval", "off"], "interval"),
    sync_interval: duration("100ms", { min: 1 }),
    ingestion_time_range_slack: duration("2m"),
  },
  block: {
    version: choice(newBlockVersions, "vParquet4", {
      vParquet3: "blocks are written as vParquet4 or vParquet5; vParquet3 blocks are read",
    }),
    bloom_filter_false_positive: float(0.01, { min: 1e-9, max: 0.5 }),
    bloom_filter_shard_size_bytes: bytes(102_400, { min: 1024 }),
    parquet_row_group_size_bytes: bytes(100_000_000, { min: 65_536 }),
    parquet_dedicated_columns: dedicatedColumns(defaultDedicatedColumns),
    page_size_bytes: bytes(131_072, { min: 1024 }),
    zstd_level: int(1, { min: 1, max: 22 }),
  },
  // Rubato's own. Off until a folder is given: on the disk of the log it would take room from acknowledged spans.
  block_cache: { path: string(), max_bytes: bytes(1_073_741_824, { min: 67_108_864, max: cacheBytesMax }) },
  retention_bytes: bytes(0),
  blocklist_poll: duration("5m", { min: 1 }),
  blocklist_poll_jitter_ms: int(0),
  blocklist_poll_concurrency: int(50),
  blocklist_poll_fallback: bool(true),
  blocklist_poll_tenant_index_builders: int(2),
  blocklist_poll_stale_tenant_index: duration("0s"),
  blocklist_poll_tolerate_consecutive_errors: int(1),
  blocklist_poll_tolerate_tenant_failures: int(1),
  empty_tenant_deletion_enabled: bool(false),
  empty_tenant_deletion_age: duration("0s"),
  s3: {
    bucket: string(),
    prefix: string(),
    endpoint: string(),
    region: string(),
    access_key: string(),
    secret_key: secret(),
    session_token: secret(),
    insecure: bool(false),
    part_size: bytes(0),
    ...hedging,
    retry_max_attempts: int(10),
    retry_backoff_initial: duration("200ms"),
    retry_backoff_max: duration("1s"),
    signature_v2: bool(false),
    forcepathstyle: bool(false),
    enable_dual_stack: bool(false),
    bucket_lookup_type: int(0, { max: 2 }),
    tags: labels(),
    storage_class: string(),
    metadata: labels(),
    native_aws_auth_enabled: bool(false),
    list_blocks_concurrency: int(3, { min: 1, max: 256 }),
    tls_ca_path: string(),
    tls_cert_path: string(),
    tls_key_path: string(),
    tls_server_name: string(),
    tls_insecure_skip_verify: bool(false),
    sse: { type: string(), kms_key_id: string(), kms_encryption_context: string(), encryption_key: secret() },
  },
  gcs: {
    bucket_name: string(),
    prefix: string(),
    chunk_buffer_size: bytes(10_485_760),
    endpoint: string(),
    ...hedging,
    insecure: bool(false),
    object_cache_control: string(),
    object_metadata: labels(),
    list_blocks_concurrency: int(3, { min: 1, max: 256 }),
    max_retries: int(3),
  },
  azure: {
    storage_account_name: string(),
    storage_account_key: secret(),
    use_managed_identity: bool(false),
    use_federated_token: bool(false),
    user_assigned_id: string(),
    container_name: string(),
    prefix: string(),
    endpoint_suffix: string("blob.core.windows.net"),
    max_buffers: int(4),
    buffer_size: bytes(3_145_728),
    ...hedging,
  },
};

const overrides: Table<OverridesConfig> = {
  defaults: {
    ingestion: {
      rate_strategy: choice(["local", "global"], "local"),
      // Tempo's 30 MB/s guard a slower server; here the memory budget does, and a limit holds once it is set.
      rate_limit_bytes: bytes(0),
      burst_size_bytes: bytes(30_000_000),
      max_attribute_bytes: bytes(0),
      retry_info_enabled: bool(true),
    },
    read: {
      max_bytes_per_tag_values_query: bytes(1_000_000),
      max_blocks_per_tag_values_query: int(0),
      max_condition_groups_per_tag_query: int(100),
      max_search_duration: duration("0s"),
      max_metrics_duration: duration("0s"),
      unsafe_query_hints: bool(false),
      left_pad_trace_ids: bool(false),
    },
    compaction: {
      block_retention: duration("0s"),
      retention_bytes: bytes(0),
      compaction_window: duration("0s"),
      compaction_disabled: bool(false),
    },
    global: { max_bytes_per_trace: bytes(5_000_000) },
    storage: { parquet_dedicated_columns: dedicatedColumns([]) },
  },
};

const compaction: Table<CompactionConfig> = {
  compaction_window: duration("1h"),
  max_compaction_objects: int(6_000_000),
  // Half a gigabyte where Tempo allows a hundred: a search reads all row groups of the blocks of its time.
  max_block_bytes: bytes(536_870_912),
  block_retention: duration("336h"),
  compacted_block_retention: duration("1h"),
  retention_concurrency: int(10),
  max_time_per_tenant: duration("5m"),
  compaction_cycle: duration("30s"),
};

const liveStore: Table<LiveStoreConfig> = {
  shards: int(0, { max: 1024 }),
  // Tempo cuts every 30 s; here a head is queryable at once, so a small block buys nothing.
  max_block_duration: duration("5m", { min: 1 }),
  max_block_bytes: bytes(52_428_800, { min: 1024 }),
};

const oneTarget = "this build serves everything in one process, the only target is all";
const otherTargets = [
  "distributor",
  "live-store",
  "block-builder",
  "backend-scheduler",
  "backend-worker",
  "querier",
  "query-frontend",
  "metrics-generator",
  "metrics-generator-no-local-blocks",
  "ingester",
  "compactor",
  "scalable-single-binary",
];

export const table: Table<Config> = {
  target: choice(["all"], "all", Object.fromEntries(otherTargets.map((name) => [name, oneTarget]))),
  http_api_prefix: urlPrefix(),
  multitenancy_enabled: bool(false),
  stream_over_http_enabled: bool(false),
  shutdown_delay: duration("0s"),
  memory: { budget_bytes: bytes(0) },
  server,
  distributor: {
    receivers,
    retry_after_on_resource_exhausted: duration("5s"),
    max_attribute_bytes: bytes(2048),
  },
  querier,
  query_frontend: queryFrontend,
  storage: { trace: traceStorage },
  overrides,
  backend_scheduler: {
    maintenance_interval: duration("1m"),
    provider: {
      retention: { interval: duration("1h", { min: 1 }) },
      compaction: {
        measure_interval: duration("1m"),
        compaction,
        max_jobs_per_tenant: int(1000),
        min_input_blocks: int(2),
        max_input_blocks: int(8),
        max_compaction_level: int(0),
        min_cycle_interval: duration("30s"),
      },
    },
  },
  backend_worker: { compaction },
  live_store: liveStore,
};

/** The same, for code that walks it. */
export const anyTable: AnyTable = table;

const noQueue = "queries wait in lines of fixed length; querier.*.query_timeout bounds them";
const ownJobs = "queries are shared out among querier.block_workers as they come";
const schedulersOwn = "what is merged is decided by the keys of backend_scheduler.provider.compaction";
const workersOwn = "backend_worker.compaction says how long blocks are kept";

/** Keys above that are read but have no effect in this version: the start of their path, and why. */
export const withoutEffect: Readonly<Record<string, string>> = {
  "querier.max_concurrent_queries": noQueue,
  "query_frontend.max_outstanding_per_tenant": noQueue,
  "query_frontend.api_timeout": noQueue,
  "query_frontend.search.concurrent_jobs": ownJobs,
  "query_frontend.search.target_bytes_per_job": ownJobs,
  "query_frontend.metrics.concurrent_jobs": ownJobs,
  "query_frontend.metrics.target_bytes_per_job": ownJobs,
  "query_frontend.metrics.interval": ownJobs,
  "query_frontend.metrics.query_backend_after": "live data and blocks are always both asked",
  "query_frontend.mcp_server": "this version has no MCP server",
  "server.grpc_server_max_send_msg_size": "this version sends no large message over gRPC",
  "storage.trace.wal.ingestion_time_range_slack":
    "a block's times cover its spans, however far they are from now",
  "storage.trace.empty_tenant_deletion_enabled": "a tenant without blocks keeps nothing but an empty folder",
  "storage.trace.empty_tenant_deletion_age": "a tenant without blocks keeps nothing but an empty folder",
  "storage.trace.s3.native_aws_auth_enabled":
    "credentials are always looked for where AWS's libraries do too",
  "storage.trace.s3.signature_v2": "requests are signed with version 4",
  "overrides.defaults.read.max_blocks_per_tag_values_query":
    "query_frontend.search.query_backend_after bounds how far back tags are listed",
  "overrides.defaults.read.unsafe_query_hints": "no hint of a query is unsafe here",
  "backend_scheduler.maintenance_interval": "the tasks of this process keep no list of jobs that would grow",
  "backend_scheduler.provider.compaction.measure_interval": "blocks that wait are counted in every cycle",
  "backend_scheduler.provider.compaction.compaction.compaction_cycle":
    "min_cycle_interval is the time between two cycles",
  "backend_scheduler.provider.compaction.compaction.block_retention": workersOwn,
  "backend_scheduler.provider.compaction.compaction.compacted_block_retention": workersOwn,
  "backend_scheduler.provider.compaction.compaction.retention_concurrency": workersOwn,
  "backend_worker.compaction.compaction_window": schedulersOwn,
  "backend_worker.compaction.max_compaction_objects": schedulersOwn,
  "backend_worker.compaction.max_block_bytes": schedulersOwn,
  "backend_worker.compaction.max_time_per_tenant": schedulersOwn,
  "backend_worker.compaction.compaction_cycle": schedulersOwn,
};
