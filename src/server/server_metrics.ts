// What the listeners hold, which Tempo has no metrics for.
import { metrics, type Registry } from "../telemetry/metrics.ts";

export interface ServerState {
  /** What requests that are being received or answered hold now. */
  readonly receivedBytes: number;
  readonly connections: number;
}

/** Returns what ends it. */
export function registerServerMetrics(state: ServerState, registry: Registry = metrics): () => void {
  const bytes = registry.gauge(
    "rubato_receive_bytes",
    "Bytes held by requests that are being received or answered.",
  );
  const connections = registry.gauge("rubato_connections", "Open connections of clients.");
  return registry.onCollect(() => {
    bytes.set({}, state.receivedBytes);
    connections.set({}, state.connections);
  });
}
