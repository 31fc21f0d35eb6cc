import { describe, expect, test } from "bun:test";
import { CompressError } from "./compress_error.ts";
import { snappyDecompress, snappyDecompressFramed } from "./snappy.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const text = (value: Uint8Array) => new TextDecoder().decode(value);
const ascii = (value: string) => [...Buffer.from(value)];

describe("snappyDecompress()", () => {
  test("reads literals and copies with 1, 2 and 4 byte offsets", () => {
    // Literal "abcd" (tag (4-1)<<2), then copies of it.
    const literal = [0x0c, ...ascii("abcd")];
    expect(text(snappyDecompress(bytes(4, ...literal), 100))).toBe("abcd");
    expect(text(snappyDecompress(bytes(8, ...literal, 0x01, 0x04), 100))).toBe("abcdabcd");
    expect(text(snappyDecompress(bytes(7, ...literal, 0x0a, 0x03, 0x00), 100))).toBe("abcdbcd");
    expect(text(snappyDecompress(bytes(6, ...literal, 0x07, 0x02, 0, 0, 0), 100))).toBe("abcdcd");
  });

  test("repeats bytes where a copy overlaps itself", () => {
    // "a", then 20 bytes from one byte back: tag ((20-1)<<2)|2.
    expect(text(snappyDecompress(bytes(21, 0x00, 0x61, 0x4e, 0x01, 0x00), 100))).toBe("a".repeat(21));
  });

  test("reads literals whose length takes bytes of its own", () => {
    const long = "x".repeat(300);
    const block = bytes(0xac, 0x02, 0xf4, 0x2b, 0x01, ...ascii(long)); // 61 << 2: two bytes, 299
    expect(text(snappyDecompress(block, 300))).toBe(long);
  });

  test("gives nothing for the one byte 0", () => {
    expect(snappyDecompress(bytes(0), 0)).toEqual(bytes());
  });

  test("refuses damaged blocks and more than is allowed", () => {
    const cases: [string, Uint8Array][] = [
      ["empty", bytes()],
      ["endless length", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
      ["literal beyond the end", bytes(4, 0x0c, 0x61)],
      ["literal beyond the length", bytes(1, 0x04, 0x61, 0x61)],
      ["too little", bytes(5, 0x00, 0x61)],
      ["copy from before the start", bytes(8, 0x0c, ...ascii("abcd"), 0x01, 0x05)],
      ["copy from nowhere", bytes(8, 0x0c, ...ascii("abcd"), 0x01, 0x00)],
      ["copy cut short", bytes(8, 0x0c, ...ascii("abcd"), 0x02, 0x01)],
    ];
    for (const [name, block] of cases) {
      expect(() => snappyDecompress(block, 100), name).toThrow(CompressError);
    }
    expect(() => snappyDecompress(bytes(4, 0x0c, ...ascii("abcd")), 3)).toThrow(
      "4 bytes where 3 are allowed",
    );
  });

  test("ends with a result or an error whatever the bytes", () => {
    let state = 7;
    const next = (bound: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    let good = 0;
    for (let i = 0; i < 20_000; i++) {
      const block = Uint8Array.from({ length: 1 + next(40) }, () => (next(2) ? next(16) : next(256)));
      try {
        expect(snappyDecompress(block, 1000).length).toBeLessThanOrEqual(1000);
        good++;
      } catch (error) {
        expect(error).toBeInstanceOf(CompressError);
      }
    }
    expect(good).toBeGreaterThan(10);
  });
});

describe("snappyDecompressFramed()", () => {
  const start = [0xff, 6, 0, 0, ...ascii("sNaPpY")];

  test("joins compressed and plain chunks and skips padding", () => {
    const stream = bytes(
      ...start,
      ...[0x00, 10, 0, 0, 1, 2, 3, 4, 4, 0x0c, ...ascii("abcd")],
      ...[0xfe, 2, 0, 0, 9, 9],
      ...[0x01, 6, 0, 0, 1, 2, 3, 4, ...ascii("ef")],
    );
    expect(text(snappyDecompressFramed(stream, 6))).toBe("abcdef");
    expect(() => snappyDecompressFramed(stream, 5)).toThrow("more than 5 bytes");
  });

  test("refuses streams without a start, of unknown chunks, or cut short", () => {
    expect(() => snappyDecompressFramed(bytes(0x01, 6, 0, 0, 1, 2, 3, 4, 5, 6), 9)).toThrow(
      "no stream identifier",
    );
    expect(() => snappyDecompressFramed(bytes(...start, 0x02, 0, 0, 0), 9)).toThrow("unknown chunk type 2");
    expect(() => snappyDecompressFramed(bytes(...start, 0x01, 9, 0, 0, 1), 9)).toThrow("cut short");
  });
});
