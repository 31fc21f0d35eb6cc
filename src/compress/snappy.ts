// Snappy, decompression: the raw block format, as Parquet pages and gRPC messages have it, and the framing format.
// https://github.com/google/snappy/blob/main/framing_format.txt
import { Column } from "../../wasm/column_ids.ts";
import { instantiateCore } from "../batch/core.ts";
import type { CoreExports } from "../batch/span_batch.ts";
import { CompressError } from "./compress_error.ts";

/** A memory that grew beyond this for one input is given back. */
const memoryBytesKept = 8 << 20;
/** The core reads and writes up to this many bytes behind the end. */
const slackBytes = 32;

let core: CoreExports | undefined;

/**
 * Decompresses raw Snappy.
 *
 * @param bytes a block: its length as a varint, then literals and copies
 * @param maxBytes the most that may come out
 * @returns a copy of the content
 * @throws CompressError if the block is damaged or larger than `maxBytes`
 */
export function snappyDecompress(bytes: Uint8Array, maxBytes: number): Uint8Array {
  core ??= instantiateCore() as unknown as CoreExports;
  const input = core.reserveColumn!(Column.Input, bytes.length + slackBytes) >>> 0;
  new Uint8Array(core.memory.buffer, input, bytes.length).set(bytes);
  const length = core.snappyLength!(bytes.length);
  if (length < 0) throw new CompressError("snappy: damaged length");
  if (length > maxBytes) throw new CompressError(`snappy: ${length} bytes where ${maxBytes} are allowed`);
  if (!core.snappyDecompress!(0, bytes.length, length)) throw new CompressError("snappy: damaged data");
  const output = core.columnAddress!(Column.Output) >>> 0;
  const content = new Uint8Array(core.memory.buffer, output, length).slice();
  if (core.memoryBytes!() >>> 0 > memoryBytesKept) core = undefined;
  return content;
}

const chunkCompressed = 0x00;
const chunkPlain = 0x01;
const chunkStart = 0xff;
/** Chunk types up to this one must be understood; those above may be skipped. */
const chunkSkippable = 0x80;
const frameContentMax = 65536;
const streamName = "sNaPpY";

/**
 * Decompresses a stream in Snappy's framing format. Its masked CRC-32C checksums are not verified.
 *
 * @param maxBytes the most that may come out
 * @throws CompressError if the stream is damaged or holds more than `maxBytes`
 */
export function snappyDecompressFramed(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  let position = 0;
  while (position < bytes.length) {
    if (bytes.length - position < 4) throw new CompressError("snappy frame: cut short");
    const type = bytes[position]!;
    const size = bytes[position + 1]! | (bytes[position + 2]! << 8) | (bytes[position + 3]! << 16);
    const start = position + 4;
    if (size > bytes.length - start) throw new CompressError("snappy frame: cut short");
    const body = bytes.subarray(start, start + size);
    if (position === 0 && type !== chunkStart) throw new CompressError("snappy frame: no stream identifier");
    position = start + size;
    if (type === chunkStart) {
      if (new TextDecoder().decode(body) !== streamName)
        throw new CompressError("snappy frame: no stream identifier");
    } else if (type === chunkCompressed || type === chunkPlain) {
      if (size < 4) throw new CompressError("snappy frame: cut short");
      const content = body.subarray(4); // behind the checksum
      const part = type === chunkPlain ? content : snappyDecompress(content, frameContentMax);
      total += part.length;
      if (total > maxBytes) throw new CompressError(`snappy frame: more than ${maxBytes} bytes`);
      parts.push(part);
    } else if (type < chunkSkippable) {
      throw new CompressError(`snappy frame: unknown chunk type ${type}`);
    }
  }
  const content = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    content.set(part, offset);
    offset += part.length;
  }
  return content;
}
