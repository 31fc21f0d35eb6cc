// An attribute's values against a literal: strings once for each distinct one, arrays once for each distinct array.
import { Column } from "../../wasm/column_ids.ts";
import { type Compare, QueryType } from "../../wasm/query_ids.ts";
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import type { Attribute, ComparisonOp, IntrinsicName, Literal } from "../traceql/index.ts";
import { intrinsicTypes } from "../traceql/index.ts";
import { arrayElements } from "./array_elements.ts";
import { parseSpanIdText, parseTraceIdText } from "./ids.ts";
import type { ValueLoader } from "./load_values.ts";
import type { LoadCondition } from "./loads.ts";
import type { StringMatch } from "./match.ts";
import { matchOf } from "./match_cache.ts";
import { compares } from "./operators.ts";
import { tableOf } from "./subjects.ts";
import { anyTest, type ElementTest, wordsOf } from "./values.ts";
import type { VectorReader } from "./vector_reader.ts";
import type { Vectors } from "./vectors.ts";

/** Writes truths into vectors; all rows are those of the attribute's values. */
export class LiteralComparer {
  readonly #batch: SpanBatch;
  readonly #core: CoreExports;
  readonly #vectors: Vectors;
  readonly #loader: ValueLoader;
  readonly #reader: VectorReader;

  constructor(batch: SpanBatch, vectors: Vectors, loader: ValueLoader, reader: VectorReader) {
    this.#batch = batch;
    this.#core = batch.core;
    this.#vectors = vectors;
    this.#loader = loader;
    this.#reader = reader;
  }

  /** Equality of what has a column of small numbers to itself needs no vector of values. Returns whether it was that. */
  column(at: number, attribute: Attribute, op: ComparisonOp, literal: Literal): boolean {
    if (attribute.kind !== "intrinsic" || (op !== "=" && op !== "!=")) return false;
    const column = numberColumns[attribute.name];
    if (column === undefined) return false;
    let number: number;
    if (literal.type === "string") {
      number = this.#loader.findString(encoder.encode(literal.value));
    } else if (literal.type === "status" || literal.type === "kind") {
      number = wordsOf(literal).low;
    } else return false;
    if (intrinsicTypes[attribute.name] !== literal.type) return false;
    this.#core.compareColumn!(at, column, this.#loader.rows[tableOf(attribute)], op === "=" ? 0 : 1, number);
    return true;
  }

  /** An attribute's value is compared with literals of its own type alone. */
  scalars(at: number, values: number, rows: number, op: ComparisonOp, literal: Literal): void {
    if (literal.type === "string") {
      this.strings(at, values, rows, op, matchOf(op, literal.value));
    } else if (
      (literal.type === "int" || literal.type === "float" || literal.type === "bool") &&
      op !== "=~" &&
      op !== "!~"
    ) {
      const { type, low, high } = wordsOf(literal);
      this.#core.compareTyped!(at, values, rows, compares[op], type, low, high);
    } else {
      this.#core.fillTruth!(at, rows, 0);
    }
  }

  /** @param list of one type, int or float */
  numbers(at: number, values: number, rows: number, list: readonly Literal[], isMember: boolean): void {
    const words = list.map((literal) => wordsOf(literal as Exclude<Literal, { type: "string" }>));
    const bytes = Int32Array.from(words.flatMap(({ low, high }) => [low, high]));
    this.#batch.give(new Uint8Array(bytes.buffer));
    this.#core.compareMembers!(at, values, rows, words[0]!.type, list.length, isMember ? 1 : 0);
  }

  strings(at: number, values: number, rows: number, op: ComparisonOp, match: StringMatch): void {
    const core = this.#core;
    if (match.equals !== null && (op === "=" || op === "!=")) {
      const id = this.#loader.findString(match.equals);
      core.compareTyped!(at, values, rows, compares[op], QueryType.String, id, id < 0 ? -1 : 0);
      return;
    }
    const count = core.distinctOf!(values, rows, QueryType.String, core.strings!());
    if (count > 0) {
      match.testAll(
        this.#batch,
        this.#batch.columnAddress(Column.Output),
        count,
        this.#batch.columnAddress(Column.QueryTable),
      );
    }
    core.truthByTable!(at, values, rows, QueryType.String);
  }

  /**
   * Adds the rows whose array fits. A negative operator wants every element to fit, and some to be there.
   *
   * @param seen conditions that leave of an array what a negative operator asks, as Tempo's storage does; null: all of it
   */
  arrays(
    at: number,
    values: number,
    rows: number,
    op: ComparisonOp,
    test: ElementTest,
    seen: readonly LoadCondition[] | null,
  ): void {
    const core = this.#core;
    const count = core.distinctOf!(values, rows, QueryType.Array, core.blobs!());
    if (count === 0) return;
    const negative = op === "!=" || op === "!~";
    const survives = negative ? anyTest(seen) : null;
    const ids = this.#batch.u32(Column.Output, count).slice();
    const table = this.#batch.u8(Column.QueryTable, core.blobs!());
    for (const id of ids) {
      const elements = arrayElements(this.#batch.blob(id));
      const left = survives === null ? elements : elements.filter(survives);
      table[id] = (negative ? left.length > 0 && left.every(test) : left.some(test)) ? 1 : 0;
    }
    const arrays = this.#vectors.truth(rows);
    core.truthByTable!(arrays, values, rows, QueryType.Array);
    core.orTruth!(at, arrays, rows);
    this.#vectors.giveTruth(arrays, rows);
  }

  intrinsic(
    at: number,
    values: number,
    rows: number,
    name: IntrinsicName,
    op: ComparisonOp,
    literal: Literal,
  ): void {
    const type = intrinsicTypes[name];
    if (idIntrinsics.has(name)) {
      if (literal.type === "string") this.#ids(at, values, rows, name, op, literal.value);
      else this.#core.fillTruth!(at, rows, 0);
      return;
    }
    if (literal.type === "string") {
      this.strings(at, values, rows, op, matchOf(op, literal.value));
      return;
    }
    if (op === "=~" || op === "!~" || type === "string") {
      this.#core.fillTruth!(at, rows, 0);
      return;
    }
    const words = wordsOf(literal);
    this.#core.compareNumeric!(at, values, rows, compares[op], words.type, words.low, words.high);
  }

  #ids(at: number, values: number, rows: number, name: IntrinsicName, op: ComparisonOp, text: string): void {
    const core = this.#core;
    const equality = op === "=" || op === "!=";
    if (!equality && op !== "=~" && op !== "!~") {
      core.fillTruth!(at, rows, 0);
      return;
    }
    if (equality) {
      const type = idTypes[name]!;
      const isOfTrace = type === QueryType.TraceId || type === QueryType.LinkTraceId;
      const id = isOfTrace ? parseTraceIdText(text) : parseSpanIdText(text);
      if (id !== null) {
        this.#equalIds(at, values, rows, type, compares[op], id);
        return;
      }
    }
    const textOf = (row: number) => this.#reader.plain(values, rows, row) as Uint8Array;
    matchOf(op, text).testIds(this.#batch, at, values, rows, textOf);
  }

  /** @param id 16 bytes of a trace or 8 of a span */
  #equalIds(at: number, values: number, rows: number, type: QueryType, op: Compare, id: Uint8Array): void {
    const core = this.#core;
    if (type === QueryType.SpanId) {
      const view = new DataView(id.buffer);
      core.compareSpanId!(at, values, rows, op, view.getInt32(0, true), view.getInt32(4, true));
    } else if (type === QueryType.TraceId) {
      this.#batch.give(id);
      core.compareTraceId!(at, values, rows, op);
    } else {
      const start = id.findIndex((byte) => byte !== 0);
      const digits = start < 0 ? new Uint8Array(0) : id.subarray(start);
      this.#batch.give(digits);
      core.compareLinkId!(at, values, rows, op, type, digits.length);
    }
  }
}

const encoder = new TextEncoder();

/** Columns with a code, or the id of a string that the batch has once. */
const numberColumns: Partial<Record<IntrinsicName, Column>> = {
  name: Column.SpanName,
  status: Column.SpanStatus,
  statusMessage: Column.SpanStatusMessage,
  kind: Column.SpanKind,
  "event:name": Column.EventName,
};

const idTypes: Partial<Record<IntrinsicName, QueryType>> = {
  "trace:id": QueryType.TraceId,
  "span:id": QueryType.SpanId,
  "span:parentID": QueryType.SpanId,
  "link:traceID": QueryType.LinkTraceId,
  "link:spanID": QueryType.LinkSpanId,
};
const idIntrinsics: ReadonlySet<string> = new Set(Object.keys(idTypes));
