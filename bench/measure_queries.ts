// Times queries of a server one after another, and prints what each took beside its bar and what Tempo took.
import type { Rubato } from "../test/support/rubato.ts";
import { QueryClient, type Timed } from "./query_client.ts";
import { printTable, quantile } from "./table.ts";

export interface MeasuredQuery {
  name: string;
  path: string;
  parameters: Record<string, string>;
  /** How much the answer holds. */
  found: (answer: unknown) => string;
  bar: string;
  /** What Tempo 3.0.3 took on the same machine and data. */
  tempo: string;
}

export interface Measured {
  query: MeasuredQuery;
  firstMs: number;
  coldMs: Float64Array; // sorted, of the runs after the first, while the runtime still compiles
  sortedMs: Float64Array; // of as many runs when it has
  cpuMs: number; // of the server, per run
  found: string;
}

const marginSeconds = 60;
/** So many different ones, one after the other: each has more intervals than the one before. Nothing that is asked for again is cached. */
const windowsMax = 40;
/** Queries, or milliseconds of them, until the runtime has compiled what they run through. */
const warmUpQueries = 150;
const warmUpMs = 3000;

/** Time ranges around all that was sent, each other than those before it. */
export class Windows {
  private next = 0;

  constructor(
    private readonly fromMs: number,
    private readonly toMs: number,
  ) {}

  take(): { start: string; end: string } {
    const shift = marginSeconds + (this.next++ % windowsMax);
    return {
      start: String(Math.floor(this.fromMs / 1000) - shift),
      end: String(Math.ceil(this.toMs / 1000) + shift),
    };
  }
}

/** @param runs of each query after a first one, and as many when it is warm */
export async function measure(
  server: Rubato,
  queries: readonly MeasuredQuery[],
  windows: Windows,
  runs: number,
): Promise<Measured[]> {
  const client = new QueryClient(server.ports.http);
  const all: Measured[] = [];
  for (const query of queries) {
    const ask = () => client.ask(query.path, { ...query.parameters, ...windows.take() });
    const first = await ask();
    const found = new Set([foundIn(query, first)]);
    const timed = async (count: number): Promise<Float64Array> => {
      const ms = new Float64Array(first.status === 200 ? count : 0);
      for (let i = 0; i < ms.length; i++) {
        const answer = await ask();
        ms[i] = answer.ms;
        found.add(foundIn(query, answer));
      }
      return ms.sort();
    };
    const coldMs = await timed(runs);
    const warmFrom = performance.now();
    for (let i = 0; i < warmUpQueries && performance.now() - warmFrom < warmUpMs; i++) await timed(1);
    const cpuAtStart = server.cpuSeconds();
    const sortedMs = await timed(runs);
    const cpuMs = ((server.cpuSeconds() - cpuAtStart) / sortedMs.length) * 1000;
    all.push({ query, firstMs: first.ms, coldMs, sortedMs, cpuMs, found: [...found].join(", ") });
  }
  client.close();
  return all;
}

function foundIn(query: MeasuredQuery, { status, body }: Timed): string {
  return status === 200 ? query.found(JSON.parse(body.toString("utf8"))) : `status ${status}`;
}

export function printMeasured(measured: Measured[]): void {
  const rows = measured.map(({ query, firstMs, coldMs, sortedMs, cpuMs, found }) => [
    query.name.replaceAll("|", "\\|"),
    ...[
      quantile(sortedMs, 0.5),
      quantile(sortedMs, 0.95),
      sortedMs[0] ?? Number.NaN,
      quantile(coldMs, 0.5),
      firstMs,
      cpuMs,
    ].map((ms) => (Number.isNaN(ms) ? "" : ms.toFixed(1))),
    found,
    query.bar,
    query.tempo,
  ]);
  const head = [
    "",
    "p50 ms",
    "p95 ms",
    "min ms",
    "cold p50 ms",
    "first ms",
    "CPU ms",
    "found",
    "bar",
    "Tempo 3.0.3",
  ];
  printTable(head, rows);
}

/** A list of an answer; empty if it has none. */
export function list(answer: unknown, name: string): unknown[] {
  const value = member(answer, name);
  return Array.isArray(value) ? value : [];
}

export function member(answer: unknown, name: string): unknown {
  return typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
}
