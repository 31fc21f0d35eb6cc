import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { CompressError } from "./compress_error.ts";
import { loadZstdCodec, useZstd, zstdContentSize, zstdDecompress } from "./zstd.ts";

const content = Buffer.from("span ".repeat(5000));
const frame = zstdCompressSync(content);

function cases(name: string): void {
  describe(`zstdDecompress() ${name}`, () => {
    test("gives the content", () => {
      expect(Buffer.compare(zstdDecompress(frame, content.length), content)).toBe(0);
      expect(zstdDecompress(zstdCompressSync(Buffer.alloc(0)), 0).length).toBe(0);
    });

    test("reads frames that do not declare their content size", () => {
      // Magic, no flags, window, then one raw block of 3 bytes, the last.
      const undeclared = Uint8Array.of(
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0x00,
        0x58,
        0x19,
        0x00,
        0x00,
        0x61,
        0x62,
        0x63,
      );
      expect(Buffer.from(zstdDecompress(undeclared, 3)).toString()).toBe("abc");
    });

    test("refuses another length than the expected one", () => {
      expect(() => zstdDecompress(frame, content.length - 1)).toThrow(CompressError);
      expect(() => zstdDecompress(frame, content.length + 1)).toThrow(CompressError);
    });

    test("refuses damaged frames", () => {
      expect(() => zstdDecompress(frame.subarray(0, frame.length - 3), content.length)).toThrow(
        CompressError,
      );
      expect(() => zstdDecompress(Buffer.from("no zstd at all"), 10)).toThrow(CompressError);
      expect(() => zstdDecompress(new Uint8Array(0), 10)).toThrow(CompressError);
    });
  });
}

cases("of the runtime");

describe("where the runtime has no zstd", () => {
  let native: ReturnType<typeof useZstd>;
  beforeAll(async () => {
    native = useZstd(await loadZstdCodec());
  });
  afterAll(() => {
    useZstd(native);
  });
  cases("of zstd-codec");
});

describe("zstdContentSize()", () => {
  test("reads sizes of 1, 2 and 4 bytes from the frame header", () => {
    expect(zstdContentSize(zstdCompressSync(Buffer.alloc(100)))).toBe(100);
    expect(zstdContentSize(zstdCompressSync(Buffer.alloc(300)))).toBe(300);
    expect(zstdContentSize(zstdCompressSync(Buffer.alloc(70000)))).toBe(70000);
  });

  test("gives -1 for what declares none", () => {
    expect(zstdContentSize(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x01))).toBe(-1);
    expect(zstdContentSize(new Uint8Array(20))).toBe(-1);
  });
});
