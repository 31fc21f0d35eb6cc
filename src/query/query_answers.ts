// What an engine answers to a query, until its time is over or its client is gone. Every query is counted.
import type { QueryMetrics, QueryOp } from "../telemetry/query_metrics.ts";
import { QueryDeadline } from "./query_deadline.ts";

export interface AnsweredQuery {
  op: QueryOp;
  tenants: string[];
  /** Aborted when the client goes away. */
  client: AbortSignal;
  msMax: number;
  queries: QueryMetrics;
}

/**
 * @param ask called at once, with what ends the work
 * @throws QueryTimeout, QueryCanceled, and what the engine throws
 */
export async function* queryAnswers<Answer extends { metrics: { inspectedBytes: number } }>(
  { op, tenants, client, msMax, queries }: AnsweredQuery,
  ask: (signal: AbortSignal) => AsyncGenerator<Answer, void, void>,
): AsyncGenerator<Answer, void, void> {
  const done = queries.begin(tenants.join("|"), op);
  const deadline = new QueryDeadline(client, msMax);
  const answers = client.aborted ? null : ask(deadline.signal);
  let inspectedBytes = 0;
  try {
    for (;;) {
      const next = await deadline.race(answers?.next() ?? never);
      if (next.done) return;
      inspectedBytes = next.value.metrics.inspectedBytes;
      yield next.value;
    }
  } finally {
    deadline.end();
    done(client.aborted ? "canceled" : "completed", inspectedBytes);
    answers?.return().catch(() => {}); // it may be at work, and is not waited for
  }
}

const never = new Promise<never>(() => {});
