// Which spans stand as examples for those that a metrics query counts: a few of each stretch of time, from different traces.
import { Column } from "../../wasm/column_ids.ts";
import { QueryType } from "../../wasm/query_ids.ts";
import type { Fold } from "../../wasm/series_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { type Attribute, printAttribute } from "../traceql/index.ts";
import type { Evaluator } from "./evaluate.ts";
import type { Intervals } from "./intervals.ts";
import { type GroupValue, type Label, labelValue } from "./labels.ts";

/** Of a stretch of time. */
export const exemplarsPerBucket = 2;

/** How long a stretch of time is for so many exemplars. */
export function exemplarBucketNanos({ startNanos, endNanos }: Intervals, exemplars: number): bigint {
  const buckets = BigInt(Math.max(1, Math.floor(exemplars / exemplarsPerBucket)));
  const nanos = (endNanos - startNanos) / buckets;
  return nanos > 0n ? nanos : 1n;
}

export class ExemplarPicker {
  /** By stretch of time, how many are wanted still. */
  readonly #wanted: Uint8Array;
  readonly #bucketNanos: bigint;

  /** @param exemplars in all; 0: none are wanted */
  constructor(grid: Intervals, exemplars: number) {
    this.#bucketNanos = exemplarBucketNanos(grid, exemplars);
    const buckets =
      exemplars === 0 ? 0 : Math.ceil(Number(grid.endNanos - grid.startNanos) / Number(this.#bucketNanos));
    this.#wanted = new Uint8Array(buckets).fill(Math.min(exemplars, exemplarsPerBucket));
  }

  /**
   * Picks of the spans that a batch counts.
   *
   * @param values offset of what is measured: only spans with a number are picked; null: any
   */
  pick(batch: SpanBatch, values: number | null, fold: Fold): Uint32Array {
    if (this.#wanted.every((wanted) => wanted === 0)) return none;
    const { core } = batch;
    const address = batch.give(this.#wanted);
    const low = Number(this.#bucketNanos & 0xffff_ffffn);
    const high = Number(this.#bucketNanos >> 32n);
    const count = core.pickExemplars!(address, this.#wanted.length, low, high, values ?? -1, fold);
    this.#wanted.set(new Uint8Array(core.memory.buffer, address, this.#wanted.length));
    return batch.u32(Column.Output, count).slice();
  }
}

/** What is shown of each of some spans, beside its trace. Attribute by attribute: each is loaded for all spans at once. */
export function exemplarLabels(
  evaluator: Evaluator,
  attributes: readonly Attribute[],
  spans: Uint32Array,
): Label[][] {
  const labels: Label[][] = Array.from(spans, () => []);
  if (spans.length === 0) return labels;
  for (const attribute of attributes) {
    if (attribute.kind === "attribute" && attribute.parent) continue;
    const values = evaluator.values(attribute);
    for (const [i, span] of spans.entries()) {
      const value = valueAt(evaluator, values.at, span);
      if (value !== null) labels[i]!.push({ key: printAttribute(attribute), value: labelValue(value) });
    }
    evaluator.giveValues(values);
  }
  return labels;
}

const none = new Uint32Array(0);

function valueAt({ batch, reader, spans }: Evaluator, values: number, span: number): GroupValue | null {
  const type = reader.type(values, span);
  const bits = reader.word(values, spans, span);
  const int = BigInt.asIntN(64, bits);
  switch (type) {
    case QueryType.Nil:
    case QueryType.Array:
      return null;
    case QueryType.String:
      return { type: "string", value: batch.string(Number(bits)) };
    case QueryType.Bool:
      return { type: "bool", value: bits !== 0n };
    case QueryType.Int:
      return { type: "int", value: int };
    case QueryType.Double:
      return { type: "double", value: doubleOf(bits) };
    case QueryType.Duration:
      return { type: "duration", value: int };
    case QueryType.Status:
      return { type: "status", value: Number(int) };
    case QueryType.Kind:
      return { type: "kind", value: Number(int) };
    default:
      return { type: "string", value: reader.idText(type, bits) };
  }
}
