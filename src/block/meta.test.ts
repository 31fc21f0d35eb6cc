import { expect, test } from "bun:test";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type DedicatedColumn,
  defaultDedicatedColumns,
  filterDedicatedColumns,
  spareColumn,
} from "./dedicated.ts";
import { MetaError, parseMeta, printMeta } from "./meta.ts";
import type { BlockVersion } from "./schema.ts";

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

test("filterDedicatedColumns() drops what there are no more spare columns for", () => {
  const column = (number: number, type: DedicatedColumn["type"], scope: DedicatedColumn["scope"]) => ({
    ...{ scope, name: `${scope}.${type}.${number}`, type, options: [] },
  });
  const many = (["span", "event"] as const).flatMap((scope) =>
    Array.from({ length: 22 }, (_, i) => [column(i, "string", scope), column(i, "int", scope)]).flat(),
  );
  const counts = (version: BlockVersion) =>
    ["span.string", "span.int", "event.string", "event.int"].map(
      (name) =>
        filterDedicatedColumns(version, many).filter((kept) => kept.name.startsWith(`${name}.`)).length,
    );
  expect(counts("vParquet4")).toEqual([10, 0, 0, 0]);
  expect(counts("vParquet5")).toEqual([20, 5, 20, 5]);
  expect(filterDedicatedColumns("vParquet5", many).at(-1)!.name).toBe("event.string.19");
});
