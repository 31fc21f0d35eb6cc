import { describe, expect, test } from "bun:test";
import { InvalidRequest } from "./query_errors.ts";
import { parseTraceId, parseTraceParams } from "./trace_request.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const params = (query: string) => {
  const search = new URLSearchParams(query);
  return parseTraceParams((name) => search.get(name) ?? undefined);
};

describe("parseTraceId()", () => {
  test("takes 1 to 32 hex digits of either case and pads them on the left", () => {
    expect(hex(parseTraceId("1a2b3c4d5e6f70818293a4b5c6d7e8f1"))).toBe("1a2b3c4d5e6f70818293a4b5c6d7e8f1");
    expect(hex(parseTraceId("463AC35C9F6413AD"))).toBe("0000000000000000463ac35c9f6413ad");
    expect(hex(parseTraceId("4fa000000000000000000000000c003"))).toBe("04fa000000000000000000000000c003");
    expect(hex(parseTraceId("1"))).toBe("00000000000000000000000000000001");
  });

  test("says which character is wrong, and what is too long", () => {
    for (const [id, message] of [
      [
        "463ac35c9f6413adg",
        "trace IDs can only contain hex characters: invalid character 'g' at position 17",
      ],
      ["xyz", "trace IDs can only contain hex characters: invalid character 'x' at position 1"],
      ["0é", "trace IDs can only contain hex characters: invalid character 'é' at position 2"],
      ["1a2b3c4d5e6f70818293a4b5c6d7e8f100", "trace IDs can't be larger than 128 bits"],
      ["01a2b3c4d5e6f70818293a4b5c6d7e8f1", "trace IDs can't be larger than 128 bits"],
    ] as const)
      expect(() => parseTraceId(id)).toThrow(new InvalidRequest(message));
  });
});

describe("parseTraceParams()", () => {
  test("has defaults, and takes empty and zero as not given", () => {
    expect(params("")).toEqual({ mode: "all" });
    expect(params("mode=&blockStart=&start=&end=0&unknown=x")).toEqual({ mode: "all" });
  });

  test("reads times, blocks and modes", () => {
    expect(params("start=-5&end=1700000000")).toEqual({ mode: "all", start: -5, end: 1_700_000_000 });
    expect(params("start=9")).toEqual({ mode: "all", start: 9 });
    expect(
      params(
        "mode=blocks&blockStart=00000000-0000-0000-0000-000000000000&blockEnd=FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
      ),
    ).toEqual({
      mode: "blocks",
      blockStart: "00000000-0000-0000-0000-000000000000",
      blockEnd: "ffffffff-ffff-ffff-ffff-ffffffffffff",
    });
    const id = "0123abcd-0000-4000-8000-0123456789ab";
    for (const form of [id.replaceAll("-", ""), `{${id}}`, `urn:uuid:${id}`, `URN:UUID:${id.toUpperCase()}`])
      expect(params(`blockStart=${encodeURIComponent(form)}`).blockStart).toBe(id);
  });

  test("of ingesters nothing else is looked at", () => {
    expect(params("mode=ingesters&blockStart=nonsense&start=x&end=y")).toEqual({ mode: "ingesters" });
  });

  test("refuses what is wrong in Tempo's words", () => {
    for (const [query, message] of [
      ["mode=nonsense", "invalid value for mode nonsense"],
      ["blockStart=nonsense", "invalid value for blockstart: invalid UUID length: 8"],
      ["blockEnd=nonsense", "invalid value for blockEnd: invalid UUID length: 8"],
      ["blockEnd=0123abcd-0000-4000-8000-0123456789ax", "invalid value for blockEnd: invalid UUID format"],
      ["start=abc", 'invalid start: strconv.ParseInt: parsing "abc": invalid syntax'],
      ["end=1.5", 'invalid end: strconv.ParseInt: parsing "1.5": invalid syntax'],
      [
        "end=9223372036854775808",
        'invalid end: strconv.ParseInt: parsing "9223372036854775808": value out of range',
      ],
      ["start=20&end=10", "http parameter start must be before end. received start=20 end=10"],
      ["start=20&end=20", "http parameter start must be before end. received start=20 end=20"],
    ] as const)
      expect(() => params(query)).toThrow(new InvalidRequest(message));
  });
});
