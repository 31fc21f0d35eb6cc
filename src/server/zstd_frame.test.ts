import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { ZstdTooLarge, zstdFrames } from "./zstd_frame.ts";

const hello = zstdCompressSync(Buffer.from("hello hello hello hello"));
/** RFC 8878 §3.1.1: magic, single segment with a 1-byte size, one raw last block of 3 bytes "abc". */
const byHand = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x03, 0x19, 0x00, 0x00, 0x61, 0x62, 0x63);

describe("zstdFrames()", () => {
  test("finds the end of a frame written by hand", () => {
    expect(zstdFrames(byHand, 3)).toEqual([{ start: 0, end: 12 }]);
  });

  test("finds several frames and leaves out skippable ones", () => {
    const skipped = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9);
    const body = Buffer.concat([byHand, skipped, hello]);
    expect(zstdFrames(body, 100)).toEqual([
      { start: 0, end: 12 },
      { start: 22, end: 22 + hello.length },
    ]);
    expect(zstdFrames(skipped, 0)).toEqual([]);
  });

  test("refuses every cut of a frame", () => {
    for (const frame of [byHand, hello, zstdCompressSync(Buffer.alloc(300_000, "ab"))]) {
      for (let length = 1; length < frame.length; length++) {
        expect(() => zstdFrames(frame.subarray(0, length), 1 << 20)).toThrow("unexpected end of zstd frame");
      }
    }
  });

  test("refuses what is no frame, a huge window and a content over the limit", () => {
    expect(() => zstdFrames(Buffer.from("not zstd"), 10)).toThrow("not a zstd frame");
    expect(() => zstdFrames(Buffer.concat([byHand, Buffer.from("tail")]), 10)).toThrow("not a zstd frame");
    const window = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 14 << 3, 0x01, 0x00, 0x00); // 2^24 bytes
    expect(() => zstdFrames(window, 1 << 30)).toThrow("zstd window too large");
    expect(() => zstdFrames(byHand, 2)).toThrow(ZstdTooLarge);
  });
});
