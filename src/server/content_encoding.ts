// Decompression of request bodies and gRPC messages, never beyond the size that was asked for.
import { promisify } from "node:util";
import zlib from "node:zlib";
import { snappyDecompress, snappyDecompressFramed } from "../compress/snappy.ts";
import { BodyTooLarge } from "./receive_memory.ts";
import { ZstdTooLarge, zstdFrames } from "./zstd_frame.ts";

export const contentEncodings = ["gzip", "deflate", "zlib", "zstd", "snappy"] as const;
export type ContentEncoding = (typeof contentEncodings)[number];

/** Smaller bodies are decompressed at once: going to the runtime's thread pool and back costs more. */
const inPlaceBytesMax = 4 << 10;
/** A body may grow to its limit before it is known what it holds, so only so many are decompressed at a time. */
export const decompressionsMax = 4;

/** A body that is not what it says it is. */
export class MalformedBody extends Error {
  override readonly name = "MalformedBody";
}

export function isContentEncoding(name: string): name is ContentEncoding {
  return (contentEncodings as readonly string[]).includes(name);
}

const gunzip = promisify(zlib.gunzip) as Decompress;
const inflate = promisify(zlib.inflate) as Decompress;
const zstdDecompress = promisify(zlib.zstdDecompress) as Decompress;
type Decompress = (body: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer>;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * @param bytesMax largest result
 * @throws BodyTooLarge, MalformedBody
 */
export async function decompress(
  encoding: ContentEncoding,
  body: Uint8Array,
  bytesMax: number,
): Promise<Uint8Array> {
  if (body.length === 0) return body;
  if (running >= decompressionsMax) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await run(encoding, body, bytesMax);
  } catch (error) {
    if (error instanceof BodyTooLarge || error instanceof MalformedBody) throw error;
    if (error instanceof ZstdTooLarge || codeOf(error) === "ERR_BUFFER_TOO_LARGE")
      throw new BodyTooLarge(bytesMax);
    throw new MalformedBody(`${encoding}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function run(
  encoding: ContentEncoding,
  body: Uint8Array,
  bytesMax: number,
): Uint8Array | Promise<Uint8Array> {
  const options = { maxOutputLength: bytesMax };
  const inPlace = body.length <= inPlaceBytesMax;
  switch (encoding) {
    case "gzip":
      return inPlace ? zlib.gunzipSync(body, options) : gunzip(body, options);
    case "deflate":
    case "zlib":
      return inPlace ? zlib.inflateSync(body, options) : inflate(body, options);
    case "zstd":
      return unzstd(body, bytesMax);
    case "snappy":
      return isFramed(body) ? snappyDecompressFramed(body, bytesMax) : snappyDecompress(body, bytesMax);
  }
}

/** Go's gRPC codecs and older collectors send Snappy's framing format, newer ones raw blocks, under one name. */
function isFramed(body: Uint8Array): boolean {
  return body[0] === 0xff && body[1] === 0x06 && body[2] === 0x00 && body[3] === 0x00 && body[4] === 0x73;
}

async function unzstd(body: Uint8Array, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const { start, end } of zstdFrames(body, bytesMax)) {
    const part = await zstdDecompress(body.subarray(start, end), { maxOutputLength: bytesMax });
    length += part.length;
    if (length > bytesMax) throw new BodyTooLarge(bytesMax);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, length);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
