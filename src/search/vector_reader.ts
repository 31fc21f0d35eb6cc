// Single values of vectors: for results, and for what the core does not compare.
import { Column } from "../../wasm/column_ids.ts";
import { QueryType } from "../../wasm/query_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { arrayElements } from "./array_elements.ts";
import { spanIdText, traceIdText } from "./ids.ts";
import type { Element } from "./values.ts";

export class VectorReader {
  readonly #batch: SpanBatch;

  constructor(batch: SpanBatch) {
    this.#batch = batch;
  }

  /** Address of a vector, valid until the batch grows. */
  address(at: number): number {
    return this.#batch.core.vectorAddress!(at) >>> 0;
  }

  /** Types of values, or truths, of all rows: a view, valid until the batch grows. */
  types(at: number, rows: number): Uint8Array {
    return new Uint8Array(this.#batch.core.memory.buffer, this.address(at), rows);
  }

  type(at: number, row: number): QueryType {
    return this.types(at, row + 1)[row]! as QueryType;
  }

  /** The 8 bytes of each of the values: a view, likewise. */
  words(at: number, rows: number): BigUint64Array {
    const start = this.address(at) + this.#batch.core.typeBytes!(rows);
    return new BigUint64Array(this.#batch.core.memory.buffer, start, rows);
  }

  /** The 8 bytes of a value. */
  word(at: number, rows: number, row: number): bigint {
    return new DataView(this.#batch.core.memory.buffer).getBigUint64(
      this.address(at) + this.#batch.core.typeBytes!(rows) + row * 8,
      true,
    );
  }

  /** Text of an id, by its type and the bytes of its value. */
  idText(type: QueryType, bits: bigint): string {
    switch (type) {
      case QueryType.TraceId: {
        const ids = this.#batch.u8(Column.TraceId, (Number(bits) + 1) * 16);
        return traceIdText(ids.subarray(Number(bits) * 16));
      }
      case QueryType.SpanId:
        return spanIdText(wireBytes(bits));
      case QueryType.LinkTraceId:
        return traceIdText(this.#batch.stringBytes(Number(bits)));
      default:
        return spanIdText(this.#batch.stringBytes(Number(bits)));
    }
  }

  /** Value of a row whose type the core does not compare; null if that is none of these. */
  plain(at: number, rows: number, row: number): Element | Element[] | null {
    const type = this.type(at, row);
    const bits = this.word(at, rows, row);
    switch (type) {
      case QueryType.String:
        return this.#batch.stringBytes(Number(bits)).slice();
      case QueryType.Bool:
        return bits !== 0n;
      case QueryType.Int:
        return BigInt.asIntN(64, bits);
      case QueryType.Double:
        return doubleOf(bits);
      case QueryType.Array:
        return arrayElements(this.#batch.blob(Number(bits)));
      case QueryType.TraceId:
      case QueryType.SpanId:
      case QueryType.LinkTraceId:
      case QueryType.LinkSpanId:
        return encoder.encode(this.idText(type, bits));
      default:
        return null;
    }
  }
}

/** The bytes of an id as they are on the wire, which the core reads as a little-endian number. */
function wireBytes(bits: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, bits, true);
  return bytes;
}

const encoder = new TextEncoder();
