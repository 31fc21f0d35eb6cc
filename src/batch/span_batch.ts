// A span batch: spans by column in the linear memory of a WASM instance of its own. See wasm/column_ids.ts for the layout.

import { Column } from "../../wasm/column_ids.ts";
import { instantiateCore } from "./core.ts";

/** Functions of core.wasm over numbers. Addresses and lengths are bytes in `memory`; -1 or 0 mean failure as each one says. */
export type CoreExports = { readonly memory: WebAssembly.Memory } & {
  readonly [name: string]: (...numbers: number[]) => number;
};

/** Malformed bytes given to a batch. */
export class BatchError extends Error {
  override readonly name = "BatchError";
}

/** Scopes of attributes as truncatedCount() numbers them. */
export const ATTRIBUTE_SCOPES = ["resource", "instrumentation", "span", "event", "link"] as const;

/** Counts after order(): rows of the Ordered* columns. */
export interface OrderedCounts {
  traces: number;
  spans: number;
}

/** Columns are laid out for spans of this size; others make them grow, which costs a copy and no more. */
const TYPICAL_SPAN_BYTES = 270;
const TYPICAL_SPAN_ATTRIBUTES = 10;
/** Columns are powers of two, ordering and encoding need room of their own. */
const RESERVED_PER_DATA = 4;
const MEMORY_BYTES_MAX = 2 ** 31;

export class SpanBatch {
  readonly core: CoreExports;

  private constructor() {
    this.core = instantiateCore() as unknown as CoreExports;
    const [low, high] = crypto.getRandomValues(new Int32Array(2));
    this.core.seedHashes!(low!, high!);
    this.core.resetBatch!();
  }

  /**
   * An empty batch with a memory of its own.
   *
   * @param dataBytes what is expected to be held, see dataBytes(). Address space for it is set aside at once, since a memory that
   *   grows may have to be copied; what is never filled costs no memory.
   */
  static create(dataBytes = 0): SpanBatch {
    const batch = new SpanBatch();
    if (dataBytes > 0) batch.expect(dataBytes);
    return batch;
  }

  /** Spans in the batch, repeats included. */
  get spans(): number {
    return this.core.spanCount!();
  }

  /** Distinct trace ids seen. */
  get traces(): number {
    return this.core.traceCount!();
  }

  /** Bytes that the spans in the batch take, with what order() adds for them: what to hold against a budget. */
  get dataBytes(): number {
    return this.core.dataBytes!() >>> 0;
  }

  private expect(dataBytes: number): void {
    this.core.reserveMemory!(Math.min(dataBytes * RESERVED_PER_DATA, MEMORY_BYTES_MAX));
    const spans = Math.ceil(dataBytes / TYPICAL_SPAN_BYTES);
    this.core.ensureSpans!(spans);
    this.core.ensureSpanAttrs!(spans * TYPICAL_SPAN_ATTRIBUTES);
  }

  /** Memory that the batch occupies, in bytes: what has been written to since it was created. It never shrinks, not even by reset(). */
  get memoryBytes(): number {
    return this.core.memoryBytes!() >>> 0;
  }

  /**
   * Appends the spans of an OTLP ExportTraceServiceRequest.
   *
   * @param request protobuf bytes
   * @param maxAttributeBytes longer attribute keys and string values are cut to this many bytes; 0: never
   * @returns the number of spans added
   * @throws BatchError if the bytes are malformed; the batch is then as it was
   */
  decode(request: Uint8Array, maxAttributeBytes: number): number {
    const address = this.give(request);
    const added = this.core.decodeRequest!(address, request.length, maxAttributeBytes);
    if (added < 0) throw new BatchError("span batch: malformed OTLP request");
    return added;
  }

  /** Copies bytes into the batch's input column. Returns their address. */
  give(bytes: Uint8Array): number {
    const address = this.reserveColumn(Column.Input, bytes.length);
    new Uint8Array(this.core.memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  /** How many attributes of a scope were cut since the batch was created (not reset). */
  truncated(scope: (typeof ATTRIBUTE_SCOPES)[number]): number {
    return this.core.truncatedCount!(ATTRIBUTE_SCOPES.indexOf(scope));
  }

  /**
   * Puts the traces in ascending order of their ids, groups their spans by resource and scope, leaves out exact repeats (same span id
   * and kind) and computes nested set numbers, trace bounds, roots and service stats: the columns from OrderedTrace on.
   */
  order(): OrderedCounts {
    const traces = this.core.orderBatch!();
    return { traces, spans: this.core.orderedSpans!() };
  }

  /**
   * One trace as OTLP.
   *
   * @param id 16 bytes
   * @returns TracesData protobuf (field 1: ResourceSpans), or null if the batch has no span of it
   */
  findTrace(id: Uint8Array): Uint8Array | null {
    const length = this.core.assembleById!(this.give(id));
    return length ? this.output(length) : null;
  }

  /** A copy of the first `length` bytes that the core put out. */
  output(length: number): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, this.columnAddress(Column.Output), length).slice();
  }

  /** A view on a column, valid until the batch grows. */
  u8(column: Column, count: number): Uint8Array {
    return new Uint8Array(this.core.memory.buffer, this.columnAddress(column), count);
  }

  /** A view on a column, valid until the batch grows. */
  u32(column: Column, count: number): Uint32Array {
    return new Uint32Array(this.core.memory.buffer, this.columnAddress(column), count);
  }

  /** A view on a column, valid until the batch grows. */
  i32(column: Column, count: number): Int32Array {
    return new Int32Array(this.core.memory.buffer, this.columnAddress(column), count);
  }

  /** A view on a column, valid until the batch grows. */
  u64(column: Column, count: number): BigUint64Array {
    return new BigUint64Array(this.core.memory.buffer, this.columnAddress(column), count);
  }

  columnAddress(column: Column): number {
    return this.core.columnAddress!(column) >>> 0;
  }

  /** Makes room for `bytes` bytes in a column. Returns its address. */
  reserveColumn(column: Column, bytes: number): number {
    return this.core.reserveColumn!(column, bytes) >>> 0;
  }

  /** Bytes of a string of the dictionary: a view, valid until the batch grows. */
  stringBytes(id: number): Uint8Array {
    return this.entry(Column.StringEnd, Column.StringBytes, id);
  }

  /** A string of the dictionary; broken UTF-8 becomes U+FFFD. */
  string(id: number): string {
    return decoder.decode(this.stringBytes(id));
  }

  /** A raw message (resource, scope, AnyValue) of the blob dictionary: a view, valid until the batch grows. */
  blob(id: number): Uint8Array {
    return this.entry(Column.BlobEnd, Column.BlobBytes, id);
  }

  private entry(endColumn: Column, bytesColumn: Column, id: number): Uint8Array {
    const ends = this.u32(endColumn, id + 1);
    const start = id ? ends[id - 1]! : 0;
    return new Uint8Array(
      this.core.memory.buffer,
      this.columnAddress(bytesColumn) + start,
      ends[id]! - start,
    );
  }

  /** Empties the batch and keeps its memory. */
  reset(): void {
    this.core.resetBatch!();
    this.core.resetKeyCache!();
    this.core.forgetOrders!();
  }
}

const decoder = new TextDecoder();
