// What a load run had acknowledged, as trace ids to ask for.
import { traceIdHex } from "../../bench/load/ids.ts";
import type { Ranges } from "../../bench/load/ranges.ts";

export class Acknowledged {
  private readonly runs: { seed: number; ranges: Ranges }[] = [];

  add(seed: number, ranges: Ranges): void {
    this.runs.push({ seed, ranges });
  }

  get count(): number {
    return this.runs.reduce((sum, run) => sum + run.ranges.count(), 0);
  }

  *[Symbol.iterator](): Generator<string> {
    for (const { seed, ranges } of this.runs) for (const trace of ranges) yield traceIdHex(seed, trace);
  }
}
