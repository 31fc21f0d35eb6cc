// Asks a server for a search as Grafana does where streaming is on: over gRPC, with results as they are found.
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { StreamingQuerier } from "../src/gen/tempopb/tempo_pb.ts";

export interface StreamedSearch {
  /** Until the first message with a trace in it; that of the whole answer if there was none. */
  firstMs: number;
  wholeMs: number;
  /** Traces that were shown in all messages. */
  found: number;
}

export class StreamClient {
  readonly #abort = new AbortController();
  readonly #client;

  constructor(grpcPort: number) {
    this.#client = createClient(
      StreamingQuerier,
      createGrpcTransport({ baseUrl: `http://127.0.0.1:${grpcPort}` }),
    );
  }

  /** @throws ConnectError */
  async search(Query: string, Limit: number, start: number, end: number): Promise<StreamedSearch> {
    const startMs = performance.now();
    let firstMs = Number.NaN;
    const found = new Set<string>();
    const answers = this.#client.search({ Query, Limit, start, end }, { signal: this.#abort.signal });
    for await (const { traces } of answers) {
      if (traces.length > 0 && Number.isNaN(firstMs)) firstMs = performance.now() - startMs;
      for (const { traceID } of traces) found.add(traceID);
    }
    const wholeMs = performance.now() - startMs;
    return { firstMs: Number.isNaN(firstMs) ? wholeMs : firstMs, wholeMs, found: found.size };
  }

  close(): void {
    this.#abort.abort();
  }
}
