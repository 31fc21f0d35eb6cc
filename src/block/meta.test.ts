import { expect, test } from "bun:test";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultDedicatedColumns, filterDedicatedColumns, spareColumn } from "./dedicated.ts";
import { MetaError, parseMeta, printMeta } from "./meta.ts";

const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");

test.skipIf(!existsSync(fixtures))(
  "printMeta() gives back every meta that Tempo 3.0.3 wrote, byte for byte",
  () => {
    const files = globSync("vParquet[345]/{rich,smallrg,dedicated,edge,load,compact}/*/meta*.json", {
      cwd: fixtures,
    });
    expect(files.length).toBeGreaterThan(15);
    for (const file of files) {
      const text = readFileSync(join(fixtures, file), "utf8");
      expect(printMeta(parseMeta(text))).toBe(text);
    }
  },
);

test("parseMeta() reads metas of older releases", () => {
  const meta = parseMeta(
    '{"format":"vParquet3","minID":"AAA=","blockID":"x","encoding":"none","startTime":"2022-07-01T00:00:00.5+02:00"}',
  );
  expect(meta.replicationFactor).toBe(0);
  expect(meta.dedicatedColumns).toEqual([]);
  expect(meta.size).toBe(0);
});

test("parseMeta() refuses what is no meta", () => {
  for (const text of [
    "",
    "[]",
    "null",
    '{"size":-1}',
    '{"size":"1"}',
    '{"format":4}',
    '{"dedicatedColumns":[{"s":"link","n":"a"}]}',
    '{"dedicatedColumns":[{"t":"bool","n":"a"}]}',
    '{"dedicatedColumns":[{}]}',
    '{"dedicatedColumns":{}}',
  ]) {
    expect(() => parseMeta(text)).toThrow(MetaError);
  }
});

test("filterDedicatedColumns() drops what a vParquet4 block has no column for", () => {
  const kept = filterDedicatedColumns("vParquet4", defaultDedicatedColumns);
  expect(kept.map((column) => column.name)).toEqual([
    "http.request.method",
    "url.path",
    "url.route",
    "server.address",
    "http.route",
  ]);
  expect(spareColumn(kept, 4)).toBe("String05");
  expect(filterDedicatedColumns("vParquet5", defaultDedicatedColumns).length).toBe(14);
});
