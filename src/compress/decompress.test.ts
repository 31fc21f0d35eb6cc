import { expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Codec, decompress } from "./decompress.ts";

const content = Uint8Array.from([1, 2, 3, 4]);

test("decompress() knows Parquet's codecs by their numbers", () => {
  expect(decompress(0, content, 4)).toEqual(content);
  expect(decompress(1, Uint8Array.of(4, 0x0c, 1, 2, 3, 4), 4)).toEqual(content);
  expect([...decompress(2, gzipSync(content), 4)]).toEqual([...content]);
  expect([...decompress(6, zstdCompressSync(content), 4)]).toEqual([...content]);
});

test("decompress() refuses another length, damaged bytes and other codecs", () => {
  expect(() => decompress(Codec.none, content, 5)).toThrow("4 bytes where 5 are expected");
  expect(() => decompress(Codec.snappy, Uint8Array.of(4, 0x0c, 1, 2, 3, 4), 5)).toThrow(
    "4 bytes where 5 are expected",
  );
  expect(() => decompress(Codec.gzip, gzipSync(content), 3)).toThrow("gzip");
  expect(() => decompress(Codec.gzip, content, 4)).toThrow("gzip: damaged data");
  expect(() => decompress(4, content, 4)).toThrow("compression codec 4 is not supported");
});
