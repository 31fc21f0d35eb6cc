// `rubato blocks` as its users see it, on blocks of ours that are whole or damaged in a known way, and on Tempo's.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attribute, field, id, message, text, varintField, span as wireSpan } from "../batch/wire_fixture.ts";
import { batchOf, defaultOptions, fixtures, haveFixtures, readRows } from "../block/encode_fixture.ts";
import { type BlockMeta, parseMeta } from "../block/meta.ts";
import { parsePageHeader } from "../block/read_page.ts";
import { writeBlock } from "../block/write.ts";
import { run, type Shown } from "../cli/command_fixture.ts";
import { blockOf, spanTexts } from "../compact/compact_fixture.ts";
import { loadConfig } from "../config/load.ts";
import { LocalStore } from "../store/local_store.ts";

let root: string;
let whole: string;
let meta: BlockMeta;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "rubato-inspect-"));
  whole = join(root, "whole");
  const spans = [1, 2, 3].flatMap((trace) => [
    { trace, span: 1, second: trace },
    { trace, span: 2, parent: 1, second: trace },
  ]);
  meta = await blockOf(new LocalStore(whole), spans);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A copy of the block that is then changed. */
function changed(change: (folder: string) => void): string {
  const copy = mkdtempSync(join(root, "copy-"));
  cpSync(whole, copy, { recursive: true });
  change(join(copy, meta.tenantID, meta.blockID));
  return copy;
}

const verify = (path: string, ...rest: string[]): Promise<Shown> =>
  run("blocks", ["verify", `-path=${path}`, ...rest]);

describe("rubato blocks verify", () => {
  test("of a whole block", async () => {
    expect(await verify(whole)).toEqual({
      status: 0,
      out: `ok       ${meta.tenantID}/${meta.blockID}  3 traces, 6 spans\n`,
      err: "",
    });
  });

  test("shows how far it is on a terminal, and leaves nothing of that", async () => {
    const { err } = await run("blocks", ["verify", `-path=${whole}`], 80);
    expect(err).toBe(`\r\x1b[K[${".".repeat(30)}] 0 %  1 of 1\r\x1b[K`);
  });

  const rewrite = (path: string, text: (old: string) => string) =>
    writeFileSync(path, text(readFileSync(path, "utf8")));
  const damages: [name: string, change: (folder: string) => void, said: RegExp][] = [
    [
      "a data file that was cut short",
      (at) => truncateSync(join(at, "data.parquet"), meta.size - 100),
      /^data\.parquet has \d+ bytes, meta\.json says \d+$/m,
    ],
    ["no data file", (at) => rmSync(join(at, "data.parquet")), /^data\.parquet is missing$/m],
    [
      "a footer of zeros",
      (at) => {
        const bytes = readFileSync(join(at, "data.parquet"));
        writeFileSync(
          join(at, "data.parquet"),
          bytes.fill(0, meta.size - 8 - meta.footerSize, meta.size - 8),
        );
      },
      /^parquet footer: /m,
    ],
    [
      "a bit of a page that is another one",
      (at) => {
        const bytes = readFileSync(join(at, "data.parquet"));
        const { headerBytes, compressedBytes } = parsePageHeader(bytes, 4);
        bytes[4 + headerBytes + compressedBytes - 1]! ^= 1;
        writeFileSync(join(at, "data.parquet"), bytes);
      },
      /page has a wrong checksum$/m,
    ],
    [
      "pages of zeros",
      (at) => {
        const bytes = readFileSync(join(at, "data.parquet"));
        writeFileSync(join(at, "data.parquet"), bytes.fill(0, 4, 2000));
      },
      /^(?!DAMAGED).*(?:page|thrift|parquet)/m,
    ],
    [
      "traces that the meta does not count",
      (at) => rewrite(join(at, "meta.json"), (text) => text.replace('"totalObjects":3', '"totalObjects":4')),
      /^3 traces, meta\.json says 4$/m,
    ],
    [
      "a meta with a thousand million filters",
      (at) =>
        rewrite(join(at, "meta.json"), (text) => text.replace('"bloomShards":1', '"bloomShards":1000000000')),
      /^meta\.json says 1000000000 bloom filters$/m,
    ],
    ["a meta that is none", (at) => writeFileSync(join(at, "meta.json"), "{"), /^block meta: not JSON$/m],
    [
      "filters without a bit",
      (at) => {
        const bytes = readFileSync(join(at, "bloom-0"));
        writeFileSync(join(at, "bloom-0"), bytes.fill(0, 24));
      },
      /^3 traces can't be found: their bloom filter lacks them$/m,
    ],
    [
      "a filter that is none",
      (at) => writeFileSync(join(at, "bloom-0"), ""),
      /^bloom-0: bloom filter: cut short$/m,
    ],
    ["no filter", (at) => rmSync(join(at, "bloom-0")), /^bloom-0 is missing: every lookup reads the block$/m],
    [
      "an index that is none",
      (at) => writeFileSync(join(at, "index"), "7"),
      /^index: not the index of a block$/m,
    ],
    [
      "an index of another block",
      (at) => writeFileSync(join(at, "index"), '{"rowGroups":["AAAAAAAAAAAAAAAAAAAAAA=="]}'),
      /^index: its trace ids are not the last ones of the row groups$/m,
    ],
  ];
  for (const [name, change, said] of damages) {
    test(`finds ${name}`, async () => {
      const { status, out, err } = await verify(changed(change));
      expect(out).toStartWith(`DAMAGED  ${meta.tenantID}/${meta.blockID}\n`);
      expect(out.replaceAll(/^ {9}/gm, "")).toMatch(said);
      expect({ status, err }).toEqual({ status: 1, err: "rubato blocks: 1 of 1 block is damaged\n" });
    });
  }

  test("judges a block with any byte of its file changed, and goes on to the next", async () => {
    const copy = changed(() => {});
    const other = await blockOf(new LocalStore(copy), [{ trace: 9, span: 1, second: 99 }]);
    const path = join(copy, meta.tenantID, meta.blockID, "data.parquet");
    const original = readFileSync(path);
    for (let at = 0; at < original.length; at += 503) {
      const bytes = Buffer.from(original);
      bytes[at]! ^= 0xff;
      writeFileSync(path, bytes);
      const { out } = await verify(copy);
      expect(out).toContain(`/${meta.blockID}`);
      expect(out).toEndWith(`ok       ${other.tenantID}/${other.blockID}  1 traces, 1 spans\n`);
    }
  });

  test("goes on after a block that the store does not give", async () => {
    const copy = changed((at) => {
      rmSync(join(at, "index"));
      mkdirSync(join(at, "index"));
    });
    const { out, err, status } = await verify(copy);
    expect({ status, err }).toEqual({ status: 1, err: "rubato blocks: 1 of 1 block can't be read\n" });
    expect(out).toStartWith(`UNREAD   ${meta.tenantID}/${meta.blockID}  `);
  });

  test("passes over what is being written, unless it is asked for", async () => {
    const copy = changed((at) => rmSync(join(at, "meta.json")));
    expect(await verify(copy)).toMatchObject({ status: 0, out: "" });
    const asked = await verify(copy, meta.blockID.slice(0, 8));
    expect(asked.status).toBe(1);
    expect(asked.out).toContain("it has no meta.json");
  });
});

describe("rubato blocks list", () => {
  test("names the blocks, and what else lies there when asked to", async () => {
    const { out, err, status } = await run("blocks", ["list", `-path=${whole}`]);
    expect(status).toBe(0);
    expect(out.split("\n")[0]).toMatch(/^TENANT +BLOCK +STATE +FORMAT +LEVEL +TRACES +SIZE +START +END$/);
    expect(out.split("\n")[1]).toMatch(
      new RegExp(`^${meta.tenantID} +${meta.blockID}  live +vParquet4 +0 +3 +\\S+ KiB  2026-01-02T00:00:01Z`),
    );
    expect(err).toMatch(/^1 block, \S+ KiB\n$/);

    const unfinished = changed((at) => rmSync(join(at, "meta.json")));
    expect((await run("blocks", ["list", `-path=${unfinished}`])).err).toBe("0 blocks, 0 B\n");
    const all = await run("blocks", ["list", "-all", "-json", `-path=${unfinished}`]);
    expect(JSON.parse(all.out)).toEqual([
      { tenantID: meta.tenantID, blockID: meta.blockID, state: "unfinished" },
    ]);
  });

  test("gives the metas as JSON", async () => {
    const { out } = await run("blocks", ["list", "-json", `-path=${whole}`]);
    expect(JSON.parse(out)).toMatchObject([
      { blockID: meta.blockID, state: "live", totalObjects: 3, size: meta.size },
    ]);
  });

  test("refuses what it can't do", async () => {
    const refused = async (...argv: string[]) => {
      const { status, err } = await run("blocks", argv);
      return `${status} ${err}`;
    };
    expect(await refused()).toStartWith("2 rubato blocks: expected list, view, ");
    expect(await refused("lst")).toContain('found "lst"');
    expect(await refused("list", `-path=${whole}`, "-tenant=none")).toBe(
      '1 rubato blocks: tenant "none" has no blocks there\n',
    );
    expect(await refused("list", `-path=${join(root, "nowhere")}`)).toStartWith(
      `1 rubato blocks: there is no folder ${join(root, "nowhere")}; `,
    );
    expect(await refused("list", `-config.file=${join(root, "none.yaml")}`)).toStartWith("2 rubato blocks: ");
    expect(await refused("view", `-path=${whole}`, "ffff-not-there")).toBe(
      '1 rubato blocks: there is no block "ffff-not-there"\n',
    );
    expect(await refused("view", `-path=${whole}`)).toStartWith(
      "2 rubato blocks: expected the id of one block",
    );
  });
});

test("rubato blocks view shows the sizes that lie on the disk", async () => {
  const { out, status } = await run("blocks", ["view", "-json", `-path=${whole}`, meta.blockID.slice(0, 6)]);
  expect(status).toBe(0);
  const shown = JSON.parse(out);
  expect(shown.rowGroups).toMatchObject([{ traces: 3, spans: 6 }]);
  // What is no column: the magic at both ends, the footer and its length, and the page indexes.
  const bytes = shown.columns.reduce((sum: number, column: { bytes: number }) => sum + column.bytes, 0);
  expect(bytes).toBe(shown.rowGroups[0].bytes);
  expect(bytes).toBeLessThan(meta.size - meta.footerSize - 12);

  const text = await run("blocks", ["view", "-limit=2", `-path=${whole}`, meta.blockID]);
  expect(text.out).toMatch(/^Spans {6}6$/m);
  expect(text.out).toMatch(/^COLUMN +SIZE +SHARE\n\S+ +\S+ \S+ +\S+ %\n\S+ +\S+ \S+ +\S+ %\n$/m);
  expect(text.err).toBe(`${shown.columns.length - 2} smaller columns are not shown, -limit=0 shows all\n`);
});

describe("rubato blocks convert", () => {
  test("writes a block with the columns of the configuration, once", async () => {
    const out = join(root, "converted");
    const config = join(root, "columns.yaml");
    const columns = "[{ scope: span, name: page }, { scope: resource, name: host.name }]";
    writeFileSync(config, `storage: { trace: { block: { parquet_dedicated_columns: ${columns} } } }`);
    const argv = ["convert", `-config.file=${config}`, `-path=${whole}`, `-out=${out}`];
    const first = await run("blocks", argv);
    expect(first).toMatchObject({ status: 0, err: "" });
    expect(first.out).toMatch(
      new RegExp(`^converted  ${meta.tenantID}/${meta.blockID}  6 spans, \\S+ KiB to \\S+ KiB\n$`),
    );
    const converted = parseMeta(readFileSync(join(out, meta.tenantID, meta.blockID, "meta.json"), "utf8"));
    expect(converted).toMatchObject({
      ...{ blockID: meta.blockID, tenantID: meta.tenantID, totalObjects: 3, compactionLevel: 0 },
      ...{ startTime: meta.startTime, endTime: meta.endTime },
      dedicatedColumns: [{ name: "page" }, { name: "host.name" }],
    });
    expect((await verify(out)).out).toEndWith("  3 traces, 6 spans\n");
    expect((await run("blocks", argv)).out).toBe(
      `there      ${meta.tenantID}/${meta.blockID}  is in the folder already\n`,
    );
  });

  test("writes the version that is asked for, which the other commands read", async () => {
    const out = join(root, "vParquet5");
    const argv = ["convert", `-path=${whole}`, `-out=${out}`];
    expect((await run("blocks", [...argv, "-version=vParquet5"])).status).toBe(0);
    const name = `${meta.tenantID}/${meta.blockID}`;
    expect((await verify(out)).out).toBe(`ok       ${name}  3 traces, 6 spans\n`);
    const viewed = JSON.parse((await run("blocks", ["view", "-json", `-path=${out}`, meta.blockID])).out);
    expect(viewed.meta).toMatchObject({ format: "vParquet5", totalObjects: 3 });
    expect(viewed.meta.dedicatedColumns).toHaveLength(14);
    expect(viewed.columns.map(({ path }: { path: string }) => path)).toContain("rs.ss.Spans.ChildCount");
    const { attributes } = JSON.parse((await run("blocks", ["analyse", "-json", `-path=${out}`])).out);
    expect(attributes.map(({ owner, name }: { owner: string; name: string }) => `${owner}.${name}`)).toEqual([
      ...["resource.service.name", "span.number"],
    ]);

    const back = join(root, "vParquet4 again");
    expect((await run("blocks", ["convert", `-path=${out}`, `-out=${back}`])).status).toBe(0);
    const rows = async (path: string) =>
      spanTexts(await readRows(readFileSync(join(path, name, "data.parquet"))));
    expect(await rows(back)).toEqual(await rows(whole));
    expect(await rows(out)).toEqual(await rows(whole));
    expect(await run("blocks", [...argv, "-version=vParquet2"])).toMatchObject({
      status: 2,
      err: 'rubato blocks: -version: expected vParquet4 or vParquet5, found "vParquet2"\n',
    });
  });

  test("leaves no block where one can't be read, and refuses to write where it reads", async () => {
    const damaged = changed((at) => truncateSync(join(at, "data.parquet"), meta.size - 100));
    const out = join(root, "none");
    const failed = await run("blocks", ["convert", `-path=${damaged}`, `-out=${out}`]);
    expect(failed).toMatchObject({ status: 1, err: "rubato blocks: 1 of 1 block can't be converted\n" });
    expect(failed.out).toStartWith(`FAILED     ${meta.tenantID}/${meta.blockID}  `);
    expect(await new LocalStore(out).list(meta.tenantID)).toEqual([]);
    expect(await run("blocks", ["convert", `-path=${whole}`, `-out=${whole}`])).toMatchObject({ status: 2 });
    symlinkSync(whole, join(root, "link"));
    for (const wrong of [[], ["-out="], [`-out=${join(root, "link")}`]]) {
      expect(await run("blocks", ["convert", `-path=${whole}`, ...wrong])).toMatchObject({ status: 2 });
    }
    const broken = changed((at) => writeFileSync(join(at, "meta.json"), "{"));
    expect(await run("blocks", ["convert", `-path=${broken}`, `-out=${out}`])).toMatchObject({ status: 1 });
    const file = join(broken, meta.tenantID, meta.blockID, "meta.json");
    expect(await run("blocks", ["convert", `-path=${whole}`, `-out=${file}`])).toMatchObject({ status: 1 });
  });
});

describe("rubato blocks analyse and suggest-columns", () => {
  // One attribute of a span, 8 spans: 10 bytes each; of its resource, once a trace: service.name and 4 bytes of host.name.
  const spans = [1, 2].flatMap((trace) => [1, 2, 3, 4].map((span) => ({ trace, span })));
  let path: string;
  beforeAll(async () => {
    path = join(root, "attributes");
    const request = (trace: number, span: number) =>
      message(
        field(
          1,
          message(
            field(
              1,
              message(
                field(1, attribute("service.name", text(1, "s"))),
                field(1, attribute("host.name", text(1, "h123"))),
              ),
            ),
            field(
              2,
              message(
                field(
                  2,
                  wireSpan({
                    trace: id(16, trace),
                    id: span,
                    name: "n",
                    start: 1_000_000_000n,
                    end: 1_000_000_001n,
                    fields: [
                      field(9, attribute("page", text(1, "0123456789"))),
                      field(9, attribute("http.url", text(1, "http://a/"))),
                      field(9, attribute("size", varintField(3, 7n))),
                    ],
                  }),
                ),
              ),
            ),
          ),
        ),
      );
    const requests = spans.map(({ trace, span }) => request(trace, span));
    const options = { ...defaultOptions, blockId: crypto.randomUUID() };
    await writeBlock(batchOf(requests), new LocalStore(path), options, async () => {});
  });

  test("count the strings of each attribute", async () => {
    const { out, err, status } = await run("blocks", ["analyse", "-json", `-path=${path}`]);
    expect({ err, status }).toEqual({ err: "", status: 0 });
    const { attributes, spans: count } = JSON.parse(out);
    expect(count).toBe(8);
    expect(attributes).toEqual([
      {
        owner: "span",
        name: "page",
        strings: 8,
        stringBytes: 80,
        ints: 0,
        others: 0,
        share: 80 / 152,
        column: "",
      },
      {
        ...{ owner: "span", name: "http.url", strings: 8, stringBytes: 72, ints: 0, others: 0 },
        ...{ share: 72 / 152, column: "before vParquet5" },
      },
      // The spans of a trace share their resource.
      {
        owner: "resource",
        name: "host.name",
        strings: 2,
        stringBytes: 8,
        ints: 0,
        others: 0,
        share: 0.8,
        column: "",
      },
      {
        ...{ owner: "resource", name: "service.name", strings: 2, stringBytes: 2, ints: 0, others: 0 },
        ...{ share: 0.2, column: "always" },
      },
      { owner: "span", name: "size", strings: 0, stringBytes: 0, ints: 8, others: 0, share: 0, column: "" },
    ]);
    const table = await run("blocks", ["analyse", "-limit=1", `-path=${path}`]);
    expect(table.out).toMatch(/^SCOPE +NAME .*\nspan +page +80 B +52\.6 % +8 +0 +0\n$/);
    expect(table.err).toBe("4 smaller ones are not shown, -limit=0 shows all\n8 spans in 1 block\n");
  });

  test("give a configuration that can be read", async () => {
    const { out, status } = await run("blocks", ["suggest-columns", `-path=${path}`]);
    expect(status).toBe(0);
    expect(loadConfig({ text: out }).config.storage.trace.block.parquet_dedicated_columns).toEqual([
      { scope: "resource", name: "host.name", type: "string", options: [] },
      { scope: "span", name: "page", type: "string", options: [] },
    ]);
  });

  test("suggest for vParquet5 what has a column in all others", async () => {
    const config = join(root, "v5.yaml");
    writeFileSync(config, "storage: { trace: { block: { version: vParquet5 } } }");
    const argv = ["suggest-columns", `-config.file=${config}`, `-path=${path}`];
    const { out } = await run("blocks", argv);
    expect(loadConfig({ text: out }).config.storage.trace.block.parquet_dedicated_columns).toMatchObject([
      { scope: "resource", name: "host.name" },
      { scope: "span", name: "page" },
      { scope: "span", name: "http.url" },
    ]);
  });
});

for (const version of ["vParquet3", "vParquet4", "vParquet5", "foreign-vParquet4"]) {
  // The fixtures are Tempo's blocks, which lie beside the project.
  test.skipIf(!haveFixtures)(`Tempo's ${version} blocks are whole`, async () => {
    const path = join(fixtures, version);
    const { status, out } = await verify(path);
    expect(status).toBe(0);
    expect(out).not.toContain("DAMAGED");
    // As hyparquet counts them.
    if (version.startsWith("v")) expect(out).toMatch(/^ok {7}load\/\S+ {2}2,000 traces, 20,483 spans$/m);
    if (version === "vParquet5") expect(out).toMatch(/^skipped {2}single-tenant\/\S+ {2}can't read format /m);
  });
}
