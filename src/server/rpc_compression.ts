// The compressions of gRPC, gRPC-Web and Connect messages.
import { promisify } from "node:util";
import zlib from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Compression } from "@connectrpc/connect/protocol";
import { createCrc32c } from "../compress/crc32c.ts";
import { type ContentEncoding, decompress, MalformedBody } from "./content_encoding.ts";
import { BodyTooLarge } from "./receive_memory.ts";

/** Answers go over a fast network more often than not: the cheapest level. */
const level = 1;
const gzip = promisify(zlib.gzip);
const deflate = promisify(zlib.deflate);
const zstdCompress = promisify(zlib.zstdCompress);

type Compress = (bytes: Uint8Array) => Promise<Uint8Array>;

/** In the order of preference that clients are told. */
export const rpcCompressions: Compression[] = [
  compression("gzip", (bytes) => gzip(bytes, { level })),
  compression("deflate", (bytes) => deflate(bytes, { level })),
  compression("zstd", (bytes) => zstdCompress(bytes)),
  compression("snappy", snappyFrames),
];

function compression(name: ContentEncoding, compress: Compress): Compression {
  return {
    name,
    compress: async (bytes) => (await compress(bytes)) as Uint8Array<ArrayBuffer>,
    async decompress(bytes, readMaxBytes) {
      try {
        return (await decompress(name, bytes, readMaxBytes)) as Uint8Array<ArrayBuffer>;
      } catch (error) {
        if (error instanceof BodyTooLarge) throw new ConnectError(error.message, Code.ResourceExhausted);
        if (error instanceof MalformedBody) throw new ConnectError(error.message, Code.InvalidArgument);
        throw error;
      }
    },
  };
}

const streamName = Buffer.from("ff060000734e61507059", "hex");
const uncompressedChunk = 1;
const chunkBytesMax = 65536;

/**
 * Snappy's framing format, as Go's gRPC codecs read it, with the bytes as they are: a client that asks for Snappy saves
 * no bytes here, and one that takes gzip as well should name it first.
 */
async function snappyFrames(bytes: Uint8Array): Promise<Uint8Array> {
  const crc = await createCrc32c();
  const parts: Uint8Array[] = [streamName];
  for (let at = 0; at < bytes.length; at += chunkBytesMax) {
    const chunk = bytes.subarray(at, at + chunkBytesMax);
    const sum = Buffer.from(crc.init().update(chunk).digest("binary")).readUInt32BE();
    const head = Buffer.alloc(8);
    head.writeUInt8(uncompressedChunk);
    head.writeUIntLE(chunk.length + 4, 1, 3);
    head.writeUInt32LE((((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0, 4); // masked, as the format has it
    parts.push(head, chunk);
  }
  return Buffer.concat(parts);
}
