// What the OTLP receivers share, whatever the protocol: tenant, memory, limits, and the way to the sink.
import type { ReceiveMemory } from "../server/receive_memory.ts";
import type { RpcError } from "../server/rpc_error.ts";
import { type TenantHeader, tenantOf } from "../server/tenant.ts";
import { exportError } from "./export_error.ts";
import type { SpanSink } from "./span_sink.ts";

export interface ReceiverConfig {
  multitenancy_enabled: boolean;
  storage: { trace: { backend: string } };
  server: { http_server_read_timeout: number };
  distributor: { retry_after_on_resource_exhausted: number };
  overrides: { defaults: { ingestion: { retry_info_enabled: boolean } } };
}

export class Receiver {
  readonly memory: ReceiveMemory;
  /** Milliseconds from a request's headers to its last byte. */
  readonly readMsMax: number;
  readonly #sink: SpanSink;
  readonly #config: ReceiverConfig;
  readonly #retryDelayMs: number;

  constructor(sink: SpanSink, config: ReceiverConfig, memory: ReceiveMemory) {
    this.memory = memory;
    this.readMsMax = config.server.http_server_read_timeout;
    this.#sink = sink;
    this.#config = config;
    const { retry_info_enabled } = config.overrides.defaults.ingestion;
    this.#retryDelayMs = retry_info_enabled ? config.distributor.retry_after_on_resource_exhausted : 0;
  }

  /** @throws TenantError */
  tenant(header: TenantHeader): string {
    return tenantOf(header, this.#config);
  }

  push(tenant: string, request: Uint8Array): Promise<void> {
    return this.#sink.push(tenant, request);
  }

  /** The error of a failed export, for any of the protocols. */
  error(error: unknown): RpcError {
    return exportError(error, this.#retryDelayMs);
  }
}
