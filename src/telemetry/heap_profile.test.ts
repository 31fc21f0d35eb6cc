import { expect, test } from "bun:test";
import { fromSnapshot, profileHeap } from "./heap_profile.ts";

/** Samples as "leaf < … : objects bytes". */
function readable({ frames, samples }: ReturnType<typeof fromSnapshot>): string[] {
  return samples
    .map(({ stack, values }) => `${stack.map((i) => frames[i]!.name).join(" < ")}: ${values.join(" ")}`)
    .sort();
}

test("fromSnapshot() adds up objects by kind and class, and never shows the content of strings", () => {
  const snapshot = {
    snapshot: {
      meta: {
        node_fields: ["type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"],
        node_types: [
          ["hidden", "object", "string", "closure"],
          "string",
          "number",
          "number",
          "number",
          "number",
          "number",
        ],
        edge_fields: ["type", "name_or_index", "to_node"],
      },
      node_count: 6,
    },
    nodes: [
      [1, 1, 1, 100, 0, 0, 0],
      [1, 1, 3, 28, 0, 0, 0],
      [2, 2, 5, 1000, 0, 0, 0],
      [2, 4, 7, 24, 0, 0, 0],
      [3, 3, 9, 64, 0, 0, 0],
      [1, 5, 11, 8, 0, 0, 0],
    ].flat(),
    edges: [0, 0, 0],
    samples: [],
    strings: ["", 'Span"\\[,]', "secret", "größe", "other secret", ""],
  };
  const expected = [
    "(string): 2 1024",
    "(unnamed) < (object): 1 8",
    'Span"\\[,] < (object): 2 128',
    "größe < (closure): 1 64",
  ];
  expect(readable(fromSnapshot(Buffer.from(JSON.stringify(snapshot))))).toEqual(expected);
  expect(readable(fromSnapshot(Buffer.from(JSON.stringify(snapshot, null, 1))))).toEqual(expected);
});

test("fromSnapshot() refuses what is no snapshot", () => {
  expect(() => fromSnapshot(Buffer.from("{}"))).toThrow("heap snapshot: no snapshot");
  const head =
    '{"snapshot":{"meta":{"node_fields":["type","name","self_size"],"node_types":[["a"]]}},"nodes":[0,1';
  expect(() => fromSnapshot(Buffer.from(head))).toThrow("heap snapshot: ends within its nodes");
});

test("profileHeap() counts the objects of a class and the bytes of a buffer", async () => {
  class OnlyInThisTest {
    constructor(readonly i: number) {}
  }
  const kept = Array.from({ length: 1234 }, (_, i) => new OnlyInThisTest(i));
  const buffer = new Uint8Array(3_000_000);
  const profile = await profileHeap();
  const ours = readable(profile).filter((line) => line.startsWith("OnlyInThisTest < (object)"));
  expect(ours.length).toBe(1);
  expect(Number(ours[0]!.split(" ").at(-2))).toBeGreaterThanOrEqual(kept.length);
  const bytes = profile.samples.reduce((sum, { values }) => sum + values[1]!, 0);
  expect(bytes).toBeGreaterThan(buffer.byteLength);
});
