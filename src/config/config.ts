/**
 * The configuration as the rest of the server reads it: Tempo's YAML keys and nesting, with the values parsed.
 * Durations are milliseconds, sizes are bytes. What a key does, its default and whether it has an effect in this
 * version stands in table.ts.
 */
import type { DedicatedColumn } from "../block/dedicated.ts";
import type { NewBlockVersion } from "../block/new_block_versions.ts";

/** The whole configuration. Every key is present: what the file leaves out has its default. */
export interface Config {
  /** Only `all`: one process serves everything. */
  target: "all";
  /** Put before every `/api/*` route. */
  http_api_prefix: string;
  /** Off: everything belongs to the tenant `single-tenant`. */
  multitenancy_enabled: boolean;
  /** Serve gRPC (h2c) on the HTTP port too; Grafana streams there. */
  stream_over_http_enabled: boolean;
  /** Time between "not ready" and closing the listeners, so that load balancers notice. */
  shutdown_delay: number;
  memory: MemoryConfig;
  server: ServerConfig;
  distributor: DistributorConfig;
  querier: QuerierConfig;
  query_frontend: QueryFrontendConfig;
  storage: { trace: TraceStorageConfig };
  overrides: OverridesConfig;
  backend_scheduler: BackendSchedulerConfig;
  backend_worker: { compaction: CompactionConfig };
  live_store: LiveStoreConfig;
}

export interface MemoryConfig {
  /** Bytes for heads, queues and caches together; 0 lets resolveMemoryBudget() choose. */
  budget_bytes: number;
}

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "logfmt" | "json";

export interface ServerConfig {
  /** Empty for every interface. */
  http_listen_address: string;
  http_listen_port: number;
  /** Empty for every interface. */
  grpc_listen_address: string;
  grpc_listen_port: number;
  graceful_shutdown_timeout: number;
  http_server_read_timeout: number;
  http_server_read_header_timeout: number;
  http_server_write_timeout: number;
  http_server_idle_timeout: number;
  grpc_server_max_recv_msg_size: number;
  grpc_server_max_send_msg_size: number;
  grpc_server_max_concurrent_streams: number;
  /** Lets gRPC clients ask what services there are. Rubato's own key. */
  grpc_reflection_enabled: boolean;
  log_format: LogFormat;
  log_level: LogLevel;
  /** Put before every route of the HTTP port. */
  http_path_prefix: string;
}

export interface DistributorConfig {
  receivers: ReceiversConfig;
  /** What a client is told to wait when it is sent away; 0 says nothing. */
  retry_after_on_resource_exhausted: number;
  /** Longer attribute keys and values are cut; 0 leaves them whole. */
  max_attribute_bytes: number;
}

/** The receivers that Rubato serves; null is one that does not listen. */
export interface ReceiversConfig {
  otlp: { protocols: { grpc: OtlpGrpcReceiver | null; http: OtlpHttpReceiver | null } };
}

export interface OtlpGrpcReceiver {
  /** `host:port` */
  endpoint: string;
  max_recv_msg_size_mib: number;
}

export interface OtlpHttpReceiver {
  /** `host:port` */
  endpoint: string;
  traces_url_path: string;
  max_request_body_size: number;
}

export interface QuerierConfig {
  /** Workers that read stored blocks; 0 is one per core. */
  block_workers: number;
  trace_by_id: { query_timeout: number };
  search: { query_timeout: number };
  max_concurrent_queries: number;
}

export interface QueryFrontendConfig {
  /** Whole time a request may take; 0 is no limit. */
  api_timeout: number;
  max_outstanding_per_tenant: number;
  multi_tenant_queries_enabled: boolean;
  max_grpc_streaming_packet_size: number;
  max_query_expression_size_bytes: number;
  query_end_cutoff: number;
  search: {
    concurrent_jobs: number;
    target_bytes_per_job: number;
    default_result_limit: number;
    max_result_limit: number;
    max_duration: number;
    query_backend_after: number;
    default_spans_per_span_set: number;
    max_spans_per_span_set: number;
  };
  metrics: {
    concurrent_jobs: number;
    target_bytes_per_job: number;
    /** 0 is no limit. */
    max_duration: number;
    query_backend_after: number;
    interval: number;
    /** What a query gets that doesn't say, and at most. */
    max_exemplars: number;
    /** 0 is a million. */
    max_intervals: number;
    /** 0 is no limit. */
    max_response_series: number;
  };
  mcp_server: { enabled: boolean };
}

export type WalSync = "always" | "interval" | "off";

export interface TraceStorageConfig {
  backend: "local" | "s3" | "gcs" | "azure";
  local: {
    path: string;
    /** Where less is free on the disk, the oldest blocks go; 0 lets it fill up. Rubato's own key. */
    reserve_bytes: number;
  };
  wal: {
    path: string;
    /** When an append reaches the disk itself: before it is acknowledged, every sync_interval, or as the kernel likes. */
    sync: WalSync;
    sync_interval: number;
    ingestion_time_range_slack: number;
  };
  block: {
    version: NewBlockVersion;
    bloom_filter_false_positive: number;
    bloom_filter_shard_size_bytes: number;
    parquet_row_group_size_bytes: number;
    parquet_dedicated_columns: DedicatedColumn[];
    page_size_bytes: number;
    zstd_level: number;
  };
  /** What is read of blocks in a remote store, kept on the local disk. Rubato's own section. */
  block_cache: {
    /** Empty: nothing is kept. */
    path: string;
    max_bytes: number;
  };
  /** All blocks together may take so much; then the oldest go. 0 is no limit. Rubato's own key. */
  retention_bytes: number;
  blocklist_poll: number;
  blocklist_poll_jitter_ms: number;
  blocklist_poll_concurrency: number;
  /** Whether metas are read one by one where a tenant has no usable index. */
  blocklist_poll_fallback: boolean;
  /** Above 0 this process reads the metas and writes the indexes; at 0 it reads the indexes of others. */
  blocklist_poll_tenant_index_builders: number;
  /** An older index is not used; 0 is no limit. */
  blocklist_poll_stale_tenant_index: number;
  blocklist_poll_tolerate_consecutive_errors: number;
  blocklist_poll_tolerate_tenant_failures: number;
  empty_tenant_deletion_enabled: boolean;
  empty_tenant_deletion_age: number;
  s3: S3Config;
  gcs: GcsConfig;
  azure: AzureConfig;
}

export interface S3Config {
  bucket: string;
  prefix: string;
  endpoint: string;
  region: string;
  access_key: string;
  secret_key: string;
  session_token: string;
  insecure: boolean;
  part_size: number;
  hedge_requests_at: number;
  hedge_requests_up_to: number;
  retry_max_attempts: number;
  retry_backoff_initial: number;
  retry_backoff_max: number;
  signature_v2: boolean;
  forcepathstyle: boolean;
  enable_dual_stack: boolean;
  bucket_lookup_type: number;
  tags: Record<string, string>;
  storage_class: string;
  metadata: Record<string, string>;
  native_aws_auth_enabled: boolean;
  list_blocks_concurrency: number;
  tls_ca_path: string;
  tls_cert_path: string;
  tls_key_path: string;
  tls_server_name: string;
  tls_insecure_skip_verify: boolean;
  sse: { type: string; kms_key_id: string; kms_encryption_context: string; encryption_key: string };
}

export interface GcsConfig {
  bucket_name: string;
  prefix: string;
  chunk_buffer_size: number;
  endpoint: string;
  hedge_requests_at: number;
  hedge_requests_up_to: number;
  insecure: boolean;
  object_cache_control: string;
  object_metadata: Record<string, string>;
  list_blocks_concurrency: number;
  max_retries: number;
}

export interface AzureConfig {
  storage_account_name: string;
  storage_account_key: string;
  use_managed_identity: boolean;
  use_federated_token: boolean;
  user_assigned_id: string;
  container_name: string;
  prefix: string;
  endpoint_suffix: string;
  max_buffers: number;
  buffer_size: number;
  hedge_requests_at: number;
  hedge_requests_up_to: number;
}

export interface OverridesConfig {
  defaults: TenantLimits;
}

/** The limits of a tenant; 0 is no limit unless said. */
export interface TenantLimits {
  ingestion: {
    rate_strategy: "local" | "global";
    rate_limit_bytes: number;
    burst_size_bytes: number;
    /** 0 leaves it to distributor.max_attribute_bytes. */
    max_attribute_bytes: number;
    retry_info_enabled: boolean;
  };
  read: {
    max_bytes_per_tag_values_query: number;
    max_blocks_per_tag_values_query: number;
    max_condition_groups_per_tag_query: number;
    /** 0 leaves it to query_frontend.search.max_duration. */
    max_search_duration: number;
    /** 0 leaves it to query_frontend.metrics.max_duration. */
    max_metrics_duration: number;
    unsafe_query_hints: boolean;
    left_pad_trace_ids: boolean;
  };
  compaction: {
    /** 0 leaves it to the compactor's own. */
    block_retention: number;
    /** What the tenant's blocks may take; then the oldest go. Rubato's own key. */
    retention_bytes: number;
    compaction_window: number;
    compaction_disabled: boolean;
  };
  global: { max_bytes_per_trace: number };
  storage: {
    /** Empty leaves it to storage.trace.block. */
    parquet_dedicated_columns: DedicatedColumn[];
  };
}

export interface CompactionConfig {
  compaction_window: number;
  max_compaction_objects: number;
  max_block_bytes: number;
  block_retention: number;
  compacted_block_retention: number;
  retention_concurrency: number;
  max_time_per_tenant: number;
  compaction_cycle: number;
}

export interface BackendSchedulerConfig {
  maintenance_interval: number;
  provider: {
    retention: { interval: number };
    compaction: {
      measure_interval: number;
      compaction: CompactionConfig;
      max_jobs_per_tenant: number;
      min_input_blocks: number;
      max_input_blocks: number;
      max_compaction_level: number;
      min_cycle_interval: number;
    };
  };
}

export interface LiveStoreConfig {
  /** Shard workers; 0 is one per core. */
  shards: number;
  /** A head older than this becomes a block. */
  max_block_duration: number;
  /** A head larger than this becomes a block. */
  max_block_bytes: number;
}
