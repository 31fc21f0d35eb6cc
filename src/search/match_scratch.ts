// Where texts are matched that stand in no batch: the memory of a batch that holds nothing, one per thread.
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";

/** A memory never shrinks: one that has grown beyond this is given up. */
const memoryBytesMax = 8 << 20;

let scratch: SpanBatch | undefined;
let loaded: Uint8Array | undefined;

/** Puts a program where a batch's strings are matched by it. */
export function loadProgram(batch: SpanBatch, program: Uint8Array): void {
  const address = batch.reserveColumn(Column.Match0, program.length);
  new Uint8Array(batch.core.memory.buffer, address, program.length).set(program);
  batch.core.loadMatch!();
}

/** Calls back with a batch that has the program loaded. */
export function withScratch<T>(program: Uint8Array, use: (batch: SpanBatch) => T): T {
  scratch ??= SpanBatch.create();
  const batch = scratch;
  if (loaded !== program) {
    loadProgram(batch, program);
    loaded = program;
  }
  const result = use(batch);
  if (batch.core.memory.buffer.byteLength > memoryBytesMax) scratch = loaded = undefined;
  return result;
}
