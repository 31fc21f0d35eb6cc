// What servers on one store have acknowledged, and what each of them must answer when it has all of it: every span once.
import { expect } from "bun:test";
import { countedSpans } from "./counted_spans.ts";
import type { Rubato } from "./rubato.ts";
import { push, requestOf, spanAt } from "./sent_spans.ts";
import { fetchSpanIds } from "./trace_reader.ts";

const hourSeconds = 3600;
/** Traces that are looked up each time: the last ones, which are still on their way, and some of the others. */
const lastLooked = 4;
const othersLooked = 4;

/** Two requests that share a trace. */
export interface Pair {
  first(server: Rubato): Promise<void>;
  second(server: Rubato): Promise<void>;
}

export class Tally {
  /** Unix seconds: all spans begin in the hour after it, and so lie in one window of compaction. */
  readonly base = (Math.floor(Date.now() / 1000 / hourSeconds) - 2) * hourSeconds;
  /** Ids of the spans of each trace, in hex. */
  readonly #traces = new Map<string, string[]>();
  #spans = 0;
  #pairs = 0;

  get spans(): number {
    return this.#spans;
  }

  /** Spans that are acknowledged as soon as both requests are sent. */
  pair(): Pair {
    const pair = ++this.#pairs;
    const trace = (n: number) => ((pair * 3 + n) * 0x1000193).toString(16).padStart(32, "1");
    const [shared, early, late] = [trace(0), trace(1), trace(2)] as [string, string, string];
    const startMs = pair * 10;
    return {
      first: (server) =>
        this.#send(server, [
          { trace: shared, id: pair * 10 + 1, name: "root", startMs },
          { trace: shared, id: pair * 10 + 2, parent: pair * 10 + 1, name: "child", startMs },
          { trace: early, id: pair * 10 + 3, name: "early", startMs },
        ]),
      second: (server) =>
        this.#send(server, [
          { trace: shared, id: pair * 10 + 4, parent: pair * 10 + 2, name: "grandchild", startMs },
          { trace: late, id: pair * 10 + 5, name: "late", startMs },
        ]),
    };
  }

  async #send(server: Rubato, spans: (Parameters<typeof spanAt>[1] & { id: number })[]): Promise<void> {
    await push(
      server,
      requestOf(
        "shop",
        spans.map((span) => spanAt(this.base, span)),
      ),
    );
    for (const { trace, id } of spans) {
      const ids = this.#traces.get(trace) ?? [];
      ids.push(id.toString(16).padStart(16, "0"));
      this.#traces.set(trace, ids);
    }
    this.#spans += spans.length;
  }

  get #range() {
    return { start: this.base, end: this.base + hourSeconds };
  }

  /** Asks a server for the number of spans. @param when for the message of what is wrong */
  async checkCounts(server: Rubato, when: string): Promise<void> {
    const range = this.#range;
    for (const query of ["{} | count_over_time()", "{} >> {} | count_over_time() by (name)"]) {
      const wanted = query.startsWith("{} >>") ? this.#descendants() : this.#spans;
      expect([when, query, await countedSpans(server, query, range)]).toEqual([when, query, wanted]);
    }
  }

  /** Asks a server in each way for what was acknowledged. */
  async check(server: Rubato, when: string): Promise<void> {
    await this.checkCounts(server, when);
    const range = this.#range;
    const params = new URLSearchParams({
      q: "{}",
      limit: "5000",
      start: `${range.start}`,
      end: `${range.end}`,
    });
    const { status, body } = await server.request(`/api/search?${params}`);
    expect([when, status, status === 200 ? "" : body.toString()]).toEqual([when, 200, ""]);
    const found = (JSON.parse(body.toString()) as { traces: { traceID: string }[] }).traces;
    expect([when, found.map(({ traceID }) => traceID.padStart(32, "0")).sort()]).toEqual([
      when,
      [...this.#traces.keys()].sort(),
    ]);
    for (const [trace, ids] of this.#some()) {
      expect([when, trace, (await fetchSpanIds(server, trace)).sort()]).toEqual([
        when,
        trace,
        [...ids].sort(),
      ]);
    }
  }

  /** Spans below another one that is there, too: parents lie in the first request of a pair. */
  #descendants(): number {
    return [...this.#traces.values()].reduce((sum, ids) => sum + (ids.length > 1 ? ids.length - 1 : 0), 0);
  }

  #some(): [string, string[]][] {
    const all = [...this.#traces];
    const step = Math.max(1, Math.floor(all.length / othersLooked));
    return all.filter((_, i) => i >= all.length - lastLooked || i % step === 0);
  }
}
