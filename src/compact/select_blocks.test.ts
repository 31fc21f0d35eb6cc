import { describe, expect, test } from "bun:test";
import { defaultDedicatedColumns } from "../block/dedicated.ts";
import type { BlockMeta } from "../block/meta.ts";
import { dedicatedHash, ripeLists, type SelectOptions, selectBlocks } from "./select_blocks.ts";

// 2026-01-10T12:30:00Z. Windows of an hour: the current one began at 12:00, the one that is left alone a day before.
const nowMs = Date.UTC(2026, 0, 10, 12, 30);

const options: SelectOptions = {
  windowMs: 3_600_000,
  inputBlocksMin: 2,
  inputBlocksMax: 4,
  objectsMax: 1000,
  blockBytesMax: 10_000,
  levelMax: 0,
  versions: new Set(["vParquet4", "vParquet5"]),
};

interface Given
  extends Partial<Pick<BlockMeta, "format" | "size" | "replicationFactor" | "dedicatedColumns">> {
  /** Of endTime. */
  time: string;
  objects?: number;
  level?: number;
}

function meta(name: string, { time, objects = 10, level = 0, ...rest }: Given): BlockMeta {
  return {
    format: "vParquet4",
    blockID: name,
    tenantID: "t",
    startTime: time,
    endTime: time,
    totalObjects: objects,
    size: 100,
    compactionLevel: level,
    indexPageSize: 0,
    totalRecords: 1,
    bloomShards: 1,
    footerSize: 0,
    dedicatedColumns: [],
    replicationFactor: 1,
    ...rest,
  };
}

const now = "2026-01-10T12:10:00Z";
const hourAgo = "2026-01-10T11:10:00Z";
const left = "2026-01-09T12:10:00Z";
const active = "2026-01-09T13:00:00Z";
const old = "2026-01-09T11:59:59.9Z";
const column = defaultDedicatedColumns[0]!;

const cases: [
  name: string,
  blocks: Record<string, Given>,
  changed: Partial<SelectOptions>,
  expected: string[],
][] = [
  ["nothing of one block", { a: { time: now } }, {}, []],
  ["two of one window", { a: { time: now }, b: { time: now } }, {}, ["ab"]],
  ["no two of different windows", { a: { time: now }, b: { time: hourAgo } }, {}, []],
  [
    "the newest window first",
    { a: { time: hourAgo }, b: { time: hourAgo }, c: { time: now }, d: { time: now } },
    {},
    ["cd", "ab"],
  ],
  [
    "within an active window those with few traces first",
    {
      a: { time: now, objects: 300 },
      b: { time: now, objects: 16 },
      c: { time: now, objects: 9 },
      d: { time: now, objects: 255 },
      e: { time: now, objects: 1 },
    },
    {},
    ["ecbd"],
  ],
  [
    "what is left over by the maximum of inputs with what follows it",
    {
      a: { time: now, objects: 1 },
      b: { time: now, objects: 2 },
      c: { time: now, objects: 3 },
      d: { time: now, objects: 4 },
      e: { time: now, objects: 5 },
    },
    { inputBlocksMax: 3 },
    ["abc", "de"],
  ],
  ["fewer than the minimum are dropped", { a: { time: now }, b: { time: now } }, { inputBlocksMin: 3 }, []],
  ["no two levels in an active window", { a: { time: now }, b: { time: now, level: 1 } }, {}, []],
  [
    "low levels before newer windows",
    { a: { time: now, level: 1 }, b: { time: now, level: 1 }, c: { time: hourAgo }, d: { time: hourAgo } },
    {},
    ["cd", "ab"],
  ],
  [
    "levels by their digits, as Tempo's texts sort",
    {
      a: { time: now, level: 2 },
      b: { time: now, level: 2 },
      c: { time: now, level: 10 },
      d: { time: now, level: 10 },
    },
    {},
    ["cd", "ab"],
  ],
  ["the window of a day ago is left alone", { a: { time: left }, b: { time: left } }, {}, []],
  [
    "the one after it is active",
    { a: { time: active }, b: { time: active }, c: { time: active, level: 1 } },
    {},
    ["ab"],
  ],
  [
    "the one before it is not: all levels are merged, the lowest first",
    { a: { time: old, level: 2 }, b: { time: old, level: 1 }, c: { time: old, level: 3 } },
    {},
    ["bac"],
  ],
  [
    "active windows before others",
    { a: { time: old }, b: { time: old }, c: { time: active }, d: { time: active } },
    {},
    ["cd", "ab"],
  ],
  [
    "a window of the future before the current one",
    {
      a: { time: now },
      b: { time: now },
      c: { time: "2026-01-10T13:10:00Z" },
      d: { time: "2026-01-10T13:10:00Z" },
    },
    {},
    ["cd", "ab"],
  ],
  [
    "traces within the limit",
    { a: { time: now, objects: 400 }, b: { time: now, objects: 500 }, c: { time: now, objects: 600 } },
    {},
    ["ab"],
  ],
  [
    "a block beyond the limit is passed over",
    { a: { time: now, objects: 1 }, b: { time: now, objects: 999 }, c: { time: now, objects: 1000 } },
    {},
    ["ab"],
  ],
  ["no pair within the limit", { a: { time: now, objects: 600 }, b: { time: now, objects: 600 } }, {}, []],
  [
    "bytes within the limit",
    {
      a: { time: now, size: 5000 },
      b: { time: now, size: 5000, objects: 11 },
      c: { time: now, size: 1, objects: 12 },
    },
    {},
    ["ab"],
  ],
  [
    "no two versions",
    { a: { time: now }, b: { time: now, format: "vParquet5" }, c: { time: now, format: "vParquet5" } },
    {},
    ["bc"],
  ],
  [
    "no version that cannot be merged",
    { a: { time: now, format: "vParquet3" }, b: { time: now, format: "vParquet3" } },
    {},
    [],
  ],
  ["no two replication factors", { a: { time: now }, b: { time: now, replicationFactor: 0 } }, {}, []],
  [
    "no two lists of dedicated columns",
    { a: { time: now }, b: { time: now, dedicatedColumns: [column] } },
    {},
    [],
  ],
  [
    "nothing of the highest level",
    { a: { time: old, level: 3 }, b: { time: old, level: 2 }, c: { time: old, level: 2 } },
    { levelMax: 3 },
    ["bc"],
  ],
  ["nothing of a block whose time cannot be read", { a: { time: "soon" }, b: { time: "soon" } }, {}, []],
];

describe("selectBlocks()", () => {
  for (const [name, blocks, changed, expected] of cases) {
    test(`selects ${name}`, () => {
      const metas = Object.entries(blocks).map(([id, given]) => meta(id, given));
      const selected = selectBlocks(metas, { ...options, ...changed }, nowMs);
      expect(selected.map((list) => list.map(({ blockID }) => blockID).join(""))).toEqual(expected);
    });
  }
});

describe("ripeLists()", () => {
  const lists = (time: string, counts: readonly number[]) =>
    counts.map((count) => Array.from({ length: count }, () => meta("a", { time })));
  const ripe = (time: string, at: string) =>
    ripeLists(lists(time, [1, 3, 4]), { ...options, inputBlocksMax: 4 }, Date.parse(at)).map(
      ({ length }) => length,
    );

  test("are the full ones of a window that is filling", () => {
    expect(ripe("2026-01-10T12:10:00Z", "2026-01-10T12:59:00Z")).toEqual([4]);
    expect(ripe("2026-01-10T13:10:00Z", "2026-01-10T12:59:00Z")).toEqual([4]);
  });

  test("are all of a window that is more than a window ahead, of clocks that are wrong", () => {
    expect(ripe("2026-01-10T14:10:00Z", "2026-01-10T12:59:00Z")).toEqual([1, 3, 4]);
    expect(ripe("2026-02-10T12:10:00Z", "2026-01-10T12:59:00Z")).toEqual([1, 3, 4]);
  });

  test("are all of a window that was over a quarter of its length ago", () => {
    expect(ripe("2026-01-10T12:10:00Z", "2026-01-10T13:14:59Z")).toEqual([4]);
    expect(ripe("2026-01-10T12:10:00Z", "2026-01-10T13:15:00Z")).toEqual([1, 3, 4]);
  });
});

test("dedicatedHash() is 0 of no columns, and tells scope, type and options apart", () => {
  expect(dedicatedHash([])).toBe("0000000000000000");
  const hashes = [
    [column],
    [{ ...column, scope: "span" as const }],
    [{ ...column, type: "int" as const }],
    [{ ...column, options: ["array" as const] }],
    [column, column],
  ].map(dedicatedHash);
  expect(new Set(hashes).size).toBe(5);
  for (const hash of hashes) expect(hash).toMatch(/^[0-9A-F]{16}$/);
});
