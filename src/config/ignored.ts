// Keys of Tempo's, 3.x and 2.x, that an existing file may hold and that mean nothing in Rubato: accepted, checked
// lightly, and named in a warning with the reason. Some are refused, where going on would betray what they ask for.
//
// Names stand after the kind of value they take (string, int, float, bool, duration, list, map, any) or after a block
// of names that Tempo uses in many places. Dots go into sections.

const tls = `
  bool: tls_enabled tls_insecure_skip_verify
  string: tls_cert_path tls_key_path tls_ca_path tls_server_name tls_cipher_suites tls_min_version`;

const backoff = `
  duration: min_period max_period
  int: max_retries`;

const kvstore = `
  string: store prefix consul.host consul.acl_token etcd.username etcd.password multi.primary multi.secondary
  int: consul.watch_burst_size etcd.max_retries
  float: consul.watch_rate_limit
  bool: consul.consistent_reads multi.mirror_enabled
  duration: consul.http_client_timeout consul.cas_retry_delay etcd.dial_timeout multi.mirror_timeout
  list: etcd.endpoints
  tls: etcd`;

const ring = `
  kvstore: kvstore
  duration: heartbeat_period heartbeat_timeout wait_stability_min_duration wait_stability_max_duration
    wait_active_instance_timeout
  string: instance_id instance_addr instance_zone instance_availability_zone excluded_zones
  int: instance_port replication_factor
  bool: enable_inet6 zone_awareness_enabled
  list: instance_interface_names`;

const grpcClient = `${tls}
  int: max_recv_msg_size max_send_msg_size rate_limit_burst
  float: rate_limit
  string: grpc_compression initial_stream_window_size initial_connection_window_size cluster_validation.label
  bool: backoff_on_ratelimits
  backoff: backoff_config
  duration: connect_timeout connect_backoff_base_delay connect_backoff_max_delay`;

const pool = `
  duration: checkinterval healthchecktimeout healthcheckgraceperiod
  bool: healthcheckenabled
  int: maxconcurrenthealthchecks`;

const kafka = `
  string: address topic client_id sasl_username sasl_password consumer_group
  duration: dial_timeout write_timeout consumer_group_offset_commit_interval last_produced_offset_retry_timeout
    target_consumer_lag_at_startup max_consumer_lag_at_startup consumer_group_lag_metric_update_interval
  bool: auto_create_topic_enabled disable_kafka_telemetry
  int: auto_create_topic_default_partitions producer_max_record_size_bytes producer_max_buffered_bytes`;

const cacheWriter = `
  int: writeback_goroutines writeback_buffer`;

const tlsConfig = `
  string: cert key client_ca cert_file key_file client_auth_type client_ca_file`;

const serviceGraphs = `
  list: histogram_buckets dimensions peer_attributes filter_policies database_name_attributes
  bool: enable_client_server_prefix enable_messaging_system_latency_histogram enable_virtual_node_label
    enable_tracestate_span_multiplier
  string: span_multiplier_key`;

const spanMetrics = `
  list: histogram_buckets dimensions filter_policies dimension_mappings target_info_excluded_dimensions
  map: intrinsic_dimensions
  any: subprocessors
  bool: enable_target_info enable_instance_label enable_tracestate_span_multiplier
  string: span_multiplier_key`;

const hostInfo = `
  list: host_identifiers
  string: metric_name`;

/** What a name stands for when it comes after one of these instead of a kind. */
export const blocks: Readonly<Record<string, string>> = {
  tls,
  backoff,
  kvstore,
  ring,
  grpcClient,
  pool,
  kafka,
  cacheWriter,
  tlsConfig,
  serviceGraphs,
  spanMetrics,
  hostInfo,
};

export interface IgnoredGroup {
  /** Where the names are; empty for the top level. */
  under: string;
  reason: string;
  names: string;
}

const oneProcess = "Rubato is one process whose parts call each other directly";
const noRing = "Rubato is one process and needs no ring";
const noKafka = "Rubato takes spans in directly, without Kafka";
const noGenerator = "Rubato has no metrics generator";
const noForwarders = "Rubato does not forward spans";
const noOutsideCache = "Rubato uses no outside cache";
const ownReads = "Rubato plans its own reads of blocks";
const ownHeads =
  "live spans lie in heads, queryable at once and bounded by live_store.max_block_* and memory.budget_bytes";
const ownJobs = "Rubato's compactor has no such setting";
const oneSetOfLimits = "overrides.defaults holds for every tenant";
const goRuntime = "it is a setting of Go's runtime";
const noLog = "Rubato does not log single requests or spans";
const noReports = "Rubato sends no usage reports";
const noTls = "TLS is not served by this version: let a proxy in front of Rubato do it";
const ownHttp2 = "Rubato's HTTP/2 server manages its connections itself";
const ownBlocks = "storage.trace.block says how blocks are written, with Rubato's own buffers";

export const ignored: readonly IgnoredGroup[] = [
  {
    under: "",
    reason: goRuntime,
    names: `
      bool: enable_go_runtime_metrics span_profiling use_otel_tracer memory.automemlimit_enabled
      float: memory.automemlimit_ratio`,
  },
  { under: "", reason: "search needs no switch", names: "bool: search_enabled" },
  {
    under: "",
    reason: noReports,
    names: "bool: usage_report.reporting_enabled\nbackoff: usage_report.backoff",
  },
  {
    under: "",
    reason: oneProcess,
    names: `
      map: internal_server
      grpcClient: backend_scheduler_client.grpc_client_config live_store_client.grpc_client_config
        ingester_client.grpc_client_config metrics_generator_client.grpc_client_config
      duration: live_store_client.remote_timeout ingester_client.remote_timeout
        metrics_generator_client.remote_timeout
      pool: live_store_client.pool_config ingester_client.pool_config metrics_generator_client.pool_config`,
  },
  {
    under: "memberlist",
    reason: noRing,
    names: `${tls}
      string: node_name advertise_addr cluster_label zone_aware_routing.instance_availability_zone
        zone_aware_routing.role
      bool: randomize_node_name compression_enabled cluster_label_verification_disabled
        abort_if_cluster_fast_join_fails abort_if_cluster_join_fails zone_aware_routing.enabled
        propagation_delay_tracker.enabled
      duration: stream_timeout pull_push_interval gossip_interval gossip_to_dead_nodes_time dead_node_reclaim_time
        notify_interval min_join_backoff max_join_backoff rejoin_interval left_ingesters_timeout
        obsolete_entries_timeout leave_timeout broadcast_timeout_for_local_updates_on_shutdown packet_dial_timeout
        packet_write_timeout acquire_writer_timeout propagation_delay_tracker.beacon_interval
        propagation_delay_tracker.beacon_lifetime propagation_delay_tracker.log_beacons_latency_longer_than
      int: retransmit_factor gossip_nodes received_messages_queue_size advertise_port max_join_retries
        abort_if_cluster_fast_join_fails_min_nodes message_history_buffer_bytes watch_prefix_buffer_size bind_port
        max_concurrent_writes
      list: bind_addr
      any: join_members rejoin_seed_nodes`,
  },
  { under: "ingest", reason: noKafka, names: "bool: enabled\nkafka: kafka" },
  {
    under: "block_builder",
    reason: noKafka,
    names: `
      string: instance_id wal.path
      map: assigned_partitions
      int: partitions_per_instance max_consuming_bytes block.max_block_bytes
      duration: consume_cycle_duration wal.ingestion_time_range_slack`,
  },
  {
    under: "cache",
    reason: noOutsideCache,
    names: "cacheWriter: background\nlist: caches",
  },
  {
    under: "server",
    reason: noTls,
    names: `
      string: tls_cipher_suites tls_min_version
      tlsConfig: http_tls_config grpc_tls_config`,
  },
  {
    under: "server",
    reason: "Rubato listens on TCP, IPv4 and IPv6 alike",
    names: "string: http_listen_network grpc_listen_network",
  },
  {
    under: "server",
    reason: "the PROXY protocol is not spoken by Rubato",
    names: "bool: proxy_protocol_enabled",
  },
  { under: "server", reason: oneProcess, names: "map: cluster_validation" },
  {
    under: "server",
    reason: ownHttp2,
    names: `
      int: http_listen_conn_limit grpc_listen_conn_limit grpc_server_num_workers grpc_server_read_buffer_size
        grpc_server_write_buffer_size
      bool: grpc_collect_max_streams_by_conn grpc_server_ping_without_stream_allowed
        grpc_server_stats_tracking_enabled grpc_server_recv_buffer_pools_enabled
      duration: grpc_server_max_connection_idle grpc_server_max_connection_age grpc_server_max_connection_age_grace
        grpc_server_keepalive_time grpc_server_keepalive_timeout grpc_server_min_time_between_pings`,
  },
  {
    under: "server",
    reason: "Rubato's metrics are always on",
    names: "bool: register_instrumentation report_grpc_codes_in_instrumentation_label_enabled",
  },
  {
    under: "server",
    reason: noLog,
    names: `
      bool: http_log_closed_connections_without_response_enabled log_source_ips_enabled log_source_ips_full
        log_request_headers log_request_at_info_level_enabled
      string: log_source_ips_header log_source_ips_regex log_request_exclude_headers_list`,
  },
  {
    under: "server",
    reason: "Rubato does not trace itself",
    names: "bool: trace_request_headers create_new_traces\nstring: trace_request_exclude_headers_list",
  },
  {
    under: "distributor",
    reason: noRing,
    names: "ring: ring\nstring: override_ring_key\nbool: extend_writes",
  },
  { under: "distributor", reason: noForwarders, names: "list: forwarders" },
  {
    under: "distributor",
    reason: noKafka,
    names: "kafka: kafka_config\nbool: kafka_write_path_enabled ingester_write_path_enabled\nany: write_path",
  },
  { under: "distributor", reason: "Rubato has no usage tracker", names: "map: usage" },
  {
    under: "distributor",
    reason: noLog,
    names: "map: log_received_spans log_discarded_spans metric_received_spans\nbool: log_received_traces",
  },
  { under: "distributor", reason: "every attribute is searchable", names: "list: search_tags_deny_list" },
  {
    under: "distributor",
    reason: "Rubato answers as soon as the spans are in its log",
    names: "duration: artificial_delay",
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: ownHttp2,
    names: `
      int: grpc.max_concurrent_streams
      any: grpc.read_buffer_size grpc.write_buffer_size
      map: grpc.keepalive
      bool: http.keep_alives_enabled
      duration: http.read_timeout http.read_header_timeout http.write_timeout http.idle_timeout`,
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "the tenant is all that is read from a request's metadata",
    names: "bool: grpc.include_metadata http.include_metadata",
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "Rubato takes traces only",
    names: "string: http.metrics_url_path http.logs_url_path",
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "every compression of the OTLP receivers is always on",
    names: "list: http.compression_algorithms",
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "Rubato's receivers set no extra headers",
    names: "map: http.cors\nany: http.response_headers",
  },
  { under: "distributor.receivers.otlp.protocols", reason: noTls, names: "map: grpc.tls http.tls" },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "Rubato's receivers have no authentication of their own",
    names: "map: grpc.auth http.auth\nlist: grpc.middlewares http.middlewares",
  },
  {
    under: "distributor.receivers.otlp.protocols",
    reason: "Rubato's receivers listen on TCP",
    names: "string: grpc.transport http.transport",
  },
  {
    under: "querier",
    reason: oneProcess,
    names: `
      string: frontend_worker.frontend_address frontend_worker.id
      duration: frontend_worker.dns_lookup_duration
      int: frontend_worker.parallelism
      bool: frontend_worker.match_max_concurrent
      grpcClient: frontend_worker.grpc_client_config
      map: partition_ring`,
  },
  {
    under: "querier",
    reason: noRing,
    names: `
      bool: shuffle_sharding_ingesters_enabled query_relevant_ingesters query_live_store
      duration: shuffle_sharding_ingesters_lookback_period`,
  },
  {
    under: "querier",
    reason: "Rubato queries no outside endpoint",
    names: `
      string: trace_by_id.external.endpoint search.external_backend
      duration: trace_by_id.external.timeout search.external_hedge_requests_at
      int: search.prefer_self search.external_hedge_requests_up_to
      list: search.external_endpoints
      map: search.google_cloud_run`,
  },
  {
    under: "querier.metrics",
    reason: ownReads,
    names: "int: concurrent_blocks\nfloat: time_overlap_cutoff",
  },
  {
    under: "query_frontend",
    reason: ownReads,
    names: `
      int: max_batch_size max_retries response_consumers search.ingester_shards search.most_recent_shards
        trace_by_id.query_shards trace_by_id.concurrent_shards metrics.streaming_shards tolerate_failed_blocks
      bool: trace_by_id.external_enabled skip_ast_transformations
      duration: querier_forget_delay search.query_ingesters_until trace_by_id.hedge_requests_at
        search.timeout
      int: trace_by_id.hedge_requests_up_to
      any: rf1_after rf1_read_path_start
      map: weights`,
  },
  {
    under: "query_frontend",
    reason: "Rubato counts no service level objectives",
    names: `
      duration: search.duration_slo trace_by_id.duration_slo metrics.duration_slo
      float: search.throughput_bytes_slo trace_by_id.throughput_bytes_slo metrics.throughput_bytes_slo
      map: search.metadata_slo`,
  },
  {
    under: "query_frontend",
    reason: "no header goes past the frontend but the tenant",
    names: "list: allowed_headers",
  },
  { under: "query_frontend", reason: "Rubato does not deny requests by URL", names: "list: url_deny_list" },
  { under: "query_frontend", reason: noLog, names: "any: log_query_request_headers" },
  { under: "", reason: noGenerator, names: "bool: metrics_generator_enabled" },
  {
    under: "metrics_generator",
    reason: noGenerator,
    names: `
      ring: ring
      serviceGraphs: processor.service_graphs
      duration: processor.service_graphs.wait
      int: processor.service_graphs.max_items processor.service_graphs.workers
      spanMetrics: processor.span_metrics
      hostInfo: processor.host_info
      map: processor.local_blocks traces_storage traces_query_storage
      duration: registry.collection_interval registry.stale_duration
      int: registry.max_label_name_length registry.max_label_value_length
      map: registry.external_labels
      string: registry.inject_tenant_id_as
      string: storage.path
      map: storage.wal
      duration: storage.remote_write_flush_deadline
      bool: storage.remote_write_add_org_id_header
      list: storage.remote_write
      duration: metrics_ingestion_time_range_slack query_timeout
      string: override_ring_key ring_mode codec limiter_type instance_id
      int: ingest_concurrency
      bool: leave_consumer_group_on_shutdown disable_local_blocks disable_grpc
      map: assigned_partitions`,
  },
  {
    under: "storage.trace",
    reason: ownReads,
    names: `
      int: pool.max_workers pool.queue_depth search.chunk_size_bytes search.prefetch_trace_count
        search.read_buffer_count search.read_buffer_size_bytes blocklist_poll_tenant_concurrency
      bool: search.cache_control.footer search.cache_control.column_index search.cache_control.offset_index`,
  },
  {
    under: "storage.trace",
    reason: noOutsideCache,
    names: `
      string: cache
      any: memcached redis
      cacheWriter: background_cache
      int: cache_min_compaction_level
      duration: cache_max_block_age`,
  },
  {
    under: "storage.trace",
    reason: ownBlocks,
    names: `
      int: block.v2_index_downsample_bytes block.v2_index_page_size_bytes block.search_page_size_bytes
      string: block.v2_encoding block.search_encoding wal.v2_encoding wal.encoding wal.search_encoding wal.version
        wal.blocksfilepath wal.completedfilepath`,
  },
  {
    under: "storage.trace.s3",
    reason: "S3 is reached with the defaults of TLS",
    names: "string: tls_cipher_suites tls_min_version",
  },
  {
    under: "overrides",
    reason: oneSetOfLimits,
    names: `
      string: per_tenant_override_config
      duration: per_tenant_override_period
      map: user_configurable_overrides`,
  },
  {
    under: "overrides",
    reason: "the flat form of Tempo 2.x is read without it",
    names: "bool: enable_legacy_overrides",
  },
  {
    under: "overrides.defaults.ingestion",
    reason: ownHeads,
    names: "int: max_traces_per_user max_global_traces_per_user",
  },
  { under: "overrides.defaults.ingestion", reason: noRing, names: "int: tenant_shard_size" },
  {
    under: "overrides.defaults.ingestion",
    reason: "Rubato answers as soon as the spans are in its log",
    names: "duration: artificial_delay",
  },
  { under: "overrides.defaults.read", reason: ownReads, names: "bool: metrics_spanonly_fetch" },
  { under: "overrides.defaults", reason: noForwarders, names: "list: forwarders" },
  { under: "overrides.defaults", reason: "Rubato has no usage tracker", names: "map: cost_attribution" },
  {
    under: "overrides.defaults.metrics_generator",
    reason: noGenerator,
    names: `
      int: ring_size max_active_series max_active_entities native_histogram_max_bucket_number
        max_cardinality_per_label forwarder.queue_size forwarder.workers
      any: processors
      duration: collection_interval native_histogram_min_reset_duration ingestion_time_range_slack
      bool: disable_collection
      string: generate_native_histograms trace_id_label_name span_name_sanitization
      float: native_histogram_bucket_factor
      map: remote_write_headers processor.local_blocks
      serviceGraphs: processor.service_graphs
      spanMetrics: processor.span_metrics
      hostInfo: processor.host_info`,
  },
  {
    under: "backend_scheduler",
    reason: ownJobs,
    names: `
      duration: work.prune_age work.dead_job_timeout backend_flush_interval job_timeout
        provider.redaction.poll_interval provider.redaction.rescan_delay
      int: provider.redaction.max_rescan_generations
      string: local_work_path`,
  },
  {
    under: "backend_worker",
    reason: oneProcess,
    names: `
      string: backend_scheduler_addr override_ring_key
      backoff: backoff
      ring: ring
      duration: finish_on_shutdown_timeout`,
  },
  {
    under: "live_store",
    reason: noRing,
    names: `
      ring: ring
      kvstore: partition_ring.kvstore
      int: partition_ring.min_partition_owners_count
      duration: partition_ring.min_partition_owners_duration partition_ring.delete_inactive_partition_after
        readiness_target_lag readiness_max_wait
      bool: fail_on_high_lag remove_owner_on_shutdown
      string: shutdown_marker_dir`,
  },
  {
    under: "live_store",
    reason: ownHeads,
    names: `
      duration: commit_interval complete_block_timeout block_reclaim_grace flush_check_period flush_op_timeout
        max_trace_live max_trace_idle
      int: query_block_concurrency complete_block_concurrency max_live_traces_bytes
      float: metrics.time_overlap_cutoff`,
  },
  {
    under: "live_store.wal",
    reason: "storage.trace.wal holds for the one log that there is",
    names: "string: path\nduration: ingestion_time_range_slack",
  },
  {
    under: "ingester",
    reason: noRing,
    names: `
      map: lifecycler
      string: override_ring_key`,
  },
  {
    under: "ingester",
    reason: ownHeads,
    names: `
      duration: trace_idle_period trace_live_period flush_check_period flush_op_timeout complete_block_timeout
      int: concurrent_flushes
      bool: flush_all_on_shutdown autocomplete_filtering_enabled
      map: ingest_storage`,
  },
  {
    under: "compactor",
    reason: noRing,
    names: "ring: ring\nstring: override_ring_key",
  },
  {
    under: "compactor",
    reason: ownJobs,
    names: `
      bool: disabled
      int: compaction.v2_in_buffer_bytes compaction.v2_out_buffer_bytes compaction.v2_prefetch_traces_count
        compaction.chunk_size_bytes compaction.flush_size_bytes compaction.iterator_buffer_size`,
  },
];

export interface Refusal {
  /** The key, or the start of its path. */
  path: string;
  /** Texts with which it asks for nothing. */
  harmless: readonly string[];
  reason: string;
}

/** Keys that ask for something which must not be missing silently. */
export const refused: readonly Refusal[] = [
  { path: "server.http_tls_config", harmless: [""], reason: noTls },
  { path: "server.grpc_tls_config", harmless: [""], reason: noTls },
  {
    path: "server.proxy_protocol_enabled",
    harmless: ["false"],
    reason: "the PROXY protocol is not spoken by Rubato",
  },
  {
    path: "server.http_listen_network",
    harmless: ["", "tcp", "tcp4", "tcp6"],
    reason: "Rubato listens on TCP only",
  },
  {
    path: "server.grpc_listen_network",
    harmless: ["", "tcp", "tcp4", "tcp6"],
    reason: "Rubato listens on TCP only",
  },
  {
    path: "storage.trace.s3.signature_v2",
    harmless: ["false"],
    reason: "requests to S3 are signed with version 4 only",
  },
  ...["grpc", "http"].flatMap((protocol) => {
    const at = `distributor.receivers.otlp.protocols.${protocol}`;
    return [
      { path: `${at}.tls`, harmless: [""], reason: noTls },
      {
        path: `${at}.auth`,
        harmless: [""],
        reason: "Rubato's receivers have no authentication of their own",
      },
      {
        path: `${at}.transport`,
        harmless: ["", "tcp", "tcp4", "tcp6"],
        reason: "Rubato listens on TCP only",
      },
    ];
  }),
];
