// The splitter on the main thread: an OTLP request in, one OTLP request per shard out, checked to the last byte on the way.

import { Column } from "../../wasm/column_ids.ts";
import { readModule } from "../batch/core.ts";

const MODULE_URL = new URL("../../build/split.wasm", import.meta.url);

/** Shard numbers are bytes in the core. */
export const SHARDS_MAX = 256;

/** Results of splitRequest() in wasm/split.ts. */
const MALFORMED = 1;
const BAD_TRACE_ID = 2;
const BAD_SPAN_ID = 3;

/** What a request was refused for; `reason` is that of the metric tempo_discarded_spans_total. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
  readonly reason: "invalid_trace_id" | "invalid_span_id" | "malformed";
  /** Spans of the whole request, as far as it can be read. */
  readonly spans: number;

  constructor(reason: InvalidRequest["reason"], message: string, spans: number) {
    super(message);
    this.reason = reason;
    this.spans = spans;
  }
}

/** One shard's share of a request. */
export interface RequestPart {
  /** ExportTraceServiceRequest protobuf with an ArrayBuffer of its own, to be transferred. */
  request: Uint8Array<ArrayBuffer>;
  spans: number;
}

export interface SplitResult {
  /** Spans in all parts. */
  spans: number;
  /** What the rows of the spans, their attributes, events and links take in a head, without their texts. */
  rowBytes: number;
  /** By shard; null where the request has no span for it. */
  parts: (RequestPart | null)[];
}

interface SplitExports {
  readonly memory: WebAssembly.Memory;
  reserveColumn(column: number, bytes: number): number;
  columnAddress(column: number): number;
  splitRequest(from: number, length: number, shards: number): number;
  spanTotal(): number;
  rowBytes(): number;
  badIdBits(): number;
  partTable(): number;
}

export class Splitter {
  readonly #shards: number;
  readonly #core: SplitExports;

  /** @param shards number of parts, 1 to SHARDS_MAX */
  constructor(shards: number) {
    if (!(shards >= 1 && shards <= SHARDS_MAX)) throw new RangeError(`splitter: ${shards} shards`);
    this.#shards = shards;
    const module = new WebAssembly.Module(readModule(MODULE_URL));
    this.#core = new WebAssembly.Instance(module).exports as unknown as SplitExports;
  }

  /** Memory that it has come to; it never shrinks. */
  get memoryBytes(): number {
    return this.#core.memory.buffer.byteLength;
  }

  /**
   * Regroups a request by trace id.
   *
   * @param request ExportTraceServiceRequest protobuf
   * @throws InvalidRequest naming what is wrong; no part of the request is then passed on
   */
  split(request: Uint8Array): SplitResult {
    const core = this.#core;
    const address = core.reserveColumn(Column.Input, request.length) >>> 0;
    new Uint8Array(core.memory.buffer, address, request.length).set(request);
    const result = core.splitRequest(address, request.length, this.#shards);
    if (result) throw this.#refusal(result);

    const table = new Uint32Array(core.memory.buffer, core.partTable() >>> 0, this.#shards * 3);
    const output = core.columnAddress(Column.Output) >>> 0;
    const parts: (RequestPart | null)[] = [];
    for (let shard = 0; shard < this.#shards; shard++) {
      const offset = table[shard * 3]!;
      const length = table[shard * 3 + 1]!;
      parts.push(
        length
          ? {
              request: new Uint8Array(
                core.memory.buffer,
                output + offset,
                length,
              ).slice() as Uint8Array<ArrayBuffer>,
              spans: table[shard * 3 + 2]!,
            }
          : null,
      );
    }
    return { spans: core.spanTotal(), rowBytes: core.rowBytes() >>> 0, parts };
  }

  #refusal(result: number): InvalidRequest {
    const bits = this.#core.badIdBits();
    const spans = this.#core.spanTotal();
    switch (result) {
      case BAD_TRACE_ID:
        return new InvalidRequest(
          "invalid_trace_id",
          `trace ids must be 128 bit, received ${bits} bits`,
          spans,
        );
      case BAD_SPAN_ID:
        return new InvalidRequest(
          "invalid_span_id",
          `span ids must be 64 bit and not all zero, received ${bits} bits`,
          spans,
        );
      case MALFORMED:
        return new InvalidRequest("malformed", "malformed ExportTraceServiceRequest", spans);
      default:
        throw new Error(`splitter: unknown result ${result}`);
    }
  }
}
