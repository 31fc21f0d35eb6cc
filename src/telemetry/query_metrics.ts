// Queries asked and bytes read for them, under the names of Tempo's query frontend.
import { metrics, type Registry } from "./metrics.ts";

/** What a query was for, as Tempo labels it. */
export type QueryOp = "traces" | "search" | "metadata" | "metrics";

export class QueryMetrics {
  readonly #queries;
  readonly #inspected;
  #running = 0;

  constructor(singleTenant: string | undefined, registry: Registry = metrics) {
    this.#queries = registry.counter("tempo_query_frontend_queries_total", "Queries answered.", [
      "tenant",
      "op",
      "result",
    ]);
    this.#inspected = registry.counter(
      "tempo_query_frontend_bytes_inspected_total",
      "Bytes of blocks read for queries.",
      ["tenant", "op"],
    );
    const running = registry.gauge("rubato_queries_running", "Queries being answered now.");
    registry.onCollect(() => running.set({}, this.#running));
    // With one tenant its series are there before its first query, so that their first increase is seen.
    if (singleTenant !== undefined) {
      for (const op of ["traces", "search", "metadata", "metrics"] as const) {
        this.#queries.with({ tenant: singleTenant, op, result: "completed" });
        this.#inspected.with({ tenant: singleTenant, op });
      }
    }
  }

  /** A query begins. Call what it returns once, when it ends. */
  begin(tenant: string, op: QueryOp): (result: "completed" | "canceled", inspectedBytes: number) => void {
    this.#running++;
    return (result, inspectedBytes) => {
      this.#running--;
      this.#queries.inc({ tenant, op, result });
      this.#inspected.inc({ tenant, op }, inspectedBytes);
    };
  }
}
