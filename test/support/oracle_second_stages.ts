// What follows the first stage of a metrics query, by the TraceQL oracle: topk(), bottomk() and comparisons with a number.
import type { Label } from "../../src/search/labels.ts";
import type { Numeric, SecondStage } from "../../src/traceql/index.ts";
import { compareTies } from "./oracle_labels.ts";
import { compareScalars } from "./oracle_values.ts";

export interface OracleSeries {
  labels: Label[];
  /** By interval; where there is none, no sample. */
  samples: Map<number, number>;
}

/** Series without a sample disappear. */
export function secondStage(series: OracleSeries[], stage: SecondStage): OracleSeries[] {
  if (stage.kind === "threshold") {
    const threshold = secondsOrNumber(stage.value);
    return withSamples(
      series.map(({ labels, samples }) => ({
        labels,
        samples: new Map(
          [...samples].filter(([, value]) =>
            compareScalars(stage.op, { type: "float", value }, { type: "float", value: threshold }),
          ),
        ),
      })),
    );
  }
  const limit = Number(stage.limit);
  if (series.length <= limit) return series;
  const kept = series.map(({ labels }): OracleSeries => ({ labels, samples: new Map() }));
  const ties = series.map((_, i) => i).sort((a, b) => compareTies(series[a]!.labels, series[b]!.labels));
  for (const interval of new Set(series.flatMap(({ samples }) => [...samples.keys()]))) {
    const sampleOf = (i: number) => series[i]!.samples.get(interval)!;
    const candidates = (stage.function === "topk" ? ties : ties.toReversed()).filter((i) =>
      series[i]!.samples.has(interval),
    );
    // Sorting is stable: of equal samples those that come first in the order of ties stay first.
    candidates.sort((a, b) =>
      stage.function === "topk" ? sampleOf(b) - sampleOf(a) : sampleOf(a) - sampleOf(b),
    );
    for (const i of candidates.slice(0, limit)) kept[i]!.samples.set(interval, sampleOf(i));
  }
  return withSamples(kept);
}

function secondsOrNumber({ type, value }: Numeric): number {
  return type === "duration" ? Number(value) / 1e9 : Number(value);
}

export function withSamples(series: OracleSeries[]): OracleSeries[] {
  return series.filter(({ samples }) => samples.size > 0);
}
