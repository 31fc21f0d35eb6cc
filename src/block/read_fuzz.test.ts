// Damaged blocks: whatever bytes a file holds, reading it ends with a result or a ParquetError, soon, and leaves other memory alone.
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Column } from "../../wasm/column_ids.ts";
import { Encoding, Keep, Owner, Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { Necessary, Projection } from "../search/projection.ts";
import { MemoryStore } from "../store/memory_store_fixture.ts";
import { parseFooter } from "./footer_reader.ts";
import { type BlockMeta, parseMeta } from "./meta.ts";
import { ParquetError } from "./parquet_error.ts";
import { BlockReader, ReadCaches } from "./read.ts";
import { parsePageHeader } from "./read_page.ts";

const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");
const missing = !existsSync(fixtures);
if (missing) console.warn("skipped: the golden blocks are not here (../shared/fixtures/tempo-blocks)");

/** A small generator of random numbers below a bound, the same in every run. */
function random(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

interface Block {
  meta: BlockMeta;
  data: Uint8Array;
}

function block(root: string, tenant: string): Block {
  const folder = join(fixtures, root, tenant);
  const [id] = readdirSync(folder).filter((name) => existsSync(join(folder, name, "meta.json")));
  const meta = parseMeta(readFileSync(join(folder, id!, "meta.json"), "utf8"));
  return { meta, data: new Uint8Array(readFileSync(join(folder, id!, "data.parquet"))) };
}

/** Reads everything that the file seems to have. Returns the error, if any; another kind than a ParquetError is thrown. */
async function readAll({ meta }: Block, data: Uint8Array, id: Uint8Array): Promise<ParquetError | null> {
  const store = new MemoryStore();
  await store.write(`${meta.tenantID}/${meta.blockID}/data.parquet`, data);
  const limits = {
    footerBytes: 1 << 20,
    fileBytes: 1 << 20,
    bloomBytes: 0,
    dictionaryBytes: 1 << 20,
    traceIdBytes: 1 << 20,
    pageBytes: 1 << 20,
  };
  const reader = await BlockReader.open(store, { ...meta, size: data.length }, new ReadCaches(limits));
  try {
    await reader.findTrace(id);
    const batch = SpanBatch.create();
    for (let group = 0; group < Math.min(2, await reader.rowGroups()); group++) {
      await reader.readRowGroup(batch, group);
    }
    for (let trace = 0; trace < Math.min(3, batch.traces); trace++) batch.core.assembleTrace!(trace);
    return null;
  } catch (error) {
    if (error instanceof ParquetError) return error;
    throw error;
  }
}

const projections: Projection[] = [
  { traceIds: false, columns: [Column.SpanStatus, Column.TraceStart, Column.TraceEnd], attributes: {} },
  {
    traceIds: true,
    columns: [
      Column.SpanName,
      Column.SpanStart,
      Column.NestedLeft,
      Column.NestedRight,
      Column.NestedParent,
      Column.TraceRootName,
      Column.TraceStatsStart,
      Column.EventTime,
      Column.EventName,
      Column.LinkTraceId,
    ],
    attributes: { resource: ["service.name", "region", "team"], span: "all" },
  },
  {
    traceIds: false,
    columns: [Column.ResourceService],
    attributes: {
      resource: ["region", "zone"],
      instrumentation: ["scope.attr"],
      span: ["t.string", "t.ints", "t.kvlist", "t.double", "a", "user.id", "http.method", "labels", "codes"],
      event: ["exception.type", "i"],
      link: ["reason", "n"],
    },
  },
];

const position = { offset: 0, line: 1, column: 1 };
const necessaries: Necessary[] = [
  {
    kind: "comparison",
    attribute: { kind: "intrinsic", name: "name", position },
    op: "=~",
    value: { kind: "literal", type: "string", value: "zz.*", position },
  },
  {
    kind: "comparison",
    attribute: { kind: "attribute", scope: "none", name: "a", parent: false, position },
    op: "=",
    value: { kind: "literal", type: "string", value: "b", position },
  },
  {
    kind: "comparison",
    attribute: { kind: "attribute", scope: "span", name: "a", parent: false, position },
    op: ">",
    value: { kind: "literal", type: "int", value: 5n, position },
  },
  {
    kind: "comparison",
    attribute: { kind: "intrinsic", name: "duration", position },
    op: "<",
    value: { kind: "literal", type: "duration", value: 1000n, position },
  },
  {
    kind: "existence",
    attribute: { kind: "attribute", scope: "event", name: "exception.type", parent: false, position },
  },
];

/** Asks for everything that a query can ask for. Returns the number of ParquetErrors. */
async function queryAll({ meta }: Block, data: Uint8Array, ids: Uint8Array): Promise<number> {
  const store = new MemoryStore();
  await store.write(`${meta.tenantID}/${meta.blockID}/data.parquet`, data);
  const limits = {
    footerBytes: 1 << 20,
    fileBytes: 1 << 20,
    bloomBytes: 0,
    dictionaryBytes: 1 << 20,
    traceIdBytes: 1 << 20,
    pageBytes: 1 << 20,
  };
  const reader = await BlockReader.open(store, { ...meta, size: data.length }, new ReadCaches(limits));
  let errors = 0;
  const tried = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ParquetError)) throw error;
      errors++;
    }
  };
  const batch = SpanBatch.create();
  for (const projection of projections) {
    for (const rows of [
      undefined,
      [
        { start: 1, end: 3 },
        { start: 4, end: 40 },
      ],
    ]) {
      await tried(async () => {
        batch.reset();
        await reader.readRowGroup(batch, 0, { projection, rows });
        // What was read must not lead out of the columns.
        const ordered = batch.core.orderedTraces!();
        expect(batch.u32(Column.OrderedSpanStart, ordered + 1)[ordered]).toBe(batch.spans);
        for (let trace = 0; trace < Math.min(3, batch.traces); trace++) batch.core.assembleTrace!(trace);
      });
    }
  }
  for (const necessary of necessaries) {
    await tried(async () => {
      const window = { startNanos: 0n, endNanos: 1n << 62n };
      const ranges = await reader.candidateRows(0, necessary, window);
      const { rows } = await reader.groupSize(0);
      let before = -1;
      for (const { start, end } of ranges) {
        expect(start).toBeGreaterThan(before);
        expect(end).toBeGreaterThan(start);
        expect(end).toBeLessThanOrEqual(rows);
        before = end;
      }
    });
  }
  await tried(() => reader.traceIds(0));
  await tried(() => reader.findRows(ids));
  await tried(() => reader.keyNames(0, "span"));
  await tried(() => reader.keyNames(0, "link"));
  await tried(() => reader.columnDictionary(0, "rs.ss.Spans.Name"));
  return errors;
}

/** Flips, overwrites, or repeats bytes in [from, to). */
function damage(data: Uint8Array, from: number, to: number, next: (bound: number) => number): Uint8Array {
  const copy = data.slice();
  const place = from + next(to - from);
  switch (next(4)) {
    case 0:
      copy[place]! ^= 1 << next(8);
      break;
    case 1:
      copy[place] = [0, 1, 0x7f, 0x80, 0xff][next(5)]!;
      break;
    case 2:
      for (let i = place; i < Math.min(to, place + 1 + next(16)); i++) copy[i] = next(256);
      break;
    default:
      copy.copyWithin(place, from + next(to - from), Math.min(to, place + next(64)));
  }
  return copy;
}

const variants: [string, string][] = [
  ["vParquet4", "edge"],
  ["vParquet5", "dedicated"],
  ["vParquet3", "dedicated"],
  ["foreign-vParquet4", "v1-bare"],
  ["foreign-vParquet4", "v2-other-encodings"],
];
const idOf: Record<string, string> = {
  edge: "88880000000000000000000000000001",
  dedicated: "66660000000000000000000000000001",
};
const idRich = "11110000000000000000000000000001";

describe.skipIf(missing)("BlockReader reads damaged files to a result or a ParquetError", () => {
  for (const [root, tenant] of missing ? [] : variants) {
    const whole = block(root, tenant);
    const id = Buffer.from(idOf[tenant] ?? idRich, "hex");
    const footerStart = whole.data.length - 8 - whole.meta.footerSize;

    test(`${root} ${tenant}: undamaged`, async () => {
      expect(await readAll(whole, whole.data, id)).toBeNull();
    });

    test(`${root} ${tenant}: footer and indexes`, async () => {
      const next = random(1);
      for (let i = 0; i < 60; i++) {
        await readAll(whole, damage(whole.data, footerStart - 4000, whole.data.length - 8, next), id);
      }
    });

    test(`${root} ${tenant}: page headers and bodies`, async () => {
      const next = random(2);
      // Without checksums, so that damage gets as far as the decoders.
      const bare = root.startsWith("foreign") ? whole.data : withoutChecksums(whole);
      for (let i = 0; i < 60; i++) await readAll(whole, damage(bare, 4, footerStart, next), id);
    });

    test(`${root} ${tenant}: cut short`, async () => {
      const next = random(3);
      for (let i = 0; i < 10; i++) {
        const error = await readAll(whole, whole.data.subarray(0, next(whole.data.length)), id);
        expect(error).toBeInstanceOf(ParquetError);
      }
    });
  }
});

describe.skipIf(missing)(
  "BlockReader answers queries on damaged files with a result or a ParquetError",
  () => {
    for (const [root, tenant] of missing ? [] : [...variants, ["vParquet4", "rich"] as const]) {
      const whole = block(root, tenant);
      const footerStart = whole.data.length - 8 - whole.meta.footerSize;
      // Ids that the block may or may not have, more than are looked up one by one.
      const ids = new Uint8Array(100 * 16).map((_, i) => (i % 16 === 0 ? i / 16 : i % 16));

      test(`${root} ${tenant}: undamaged`, async () => {
        expect(await queryAll(whole, whole.data, ids)).toBe(0);
      });

      test(`${root} ${tenant}: footer, indexes, pages`, async () => {
        const next = random(9);
        const bare = root.startsWith("foreign") ? whole.data : withoutChecksums(whole);
        let errors = 0;
        for (let i = 0; i < 60; i++) {
          const [from, to] = i % 2 ? [footerStart - 4000, whole.data.length - 8] : [4, footerStart];
          errors += await queryAll(whole, damage(bare, from, to, next), ids);
        }
        expect(errors).toBeGreaterThan(0);
      });
    }
  },
);

/** Zeroes the checksum's varint in every page header: absent and 0 mean the same to a reader. */
function withoutChecksums({ meta, data }: Block): Uint8Array {
  const copy = data.slice();
  const file = parseFooter(data.subarray(data.length - 8 - meta.footerSize, data.length - 8));
  for (const { chunks } of file.rowGroups) {
    for (const { index } of file.leaves) {
      const dictionary = chunks.dictionaryPage[index]!;
      let position = dictionary > 0 ? dictionary : chunks.dataPage[index]!;
      const end = position + chunks.bytes[index]!;
      while (position < end) {
        const header = parsePageHeader(data, position);
        // Fields 1 to 4 are i32 in this order: head byte 0x15, varint. Padded zero varints keep the length.
        let at = position;
        for (let field = 1; field <= 3; field++) {
          at++;
          while (copy[at++]! >= 0x80);
        }
        expect(copy[at++]).toBe(0x15);
        for (; copy[at]! >= 0x80; at++) copy[at] = 0x80;
        copy[at] = 0;
        position += header.headerBytes + header.compressedBytes;
      }
    }
  }
  return copy;
}

const canaryColumns = [Column.Encode0, Column.Scratch0, Column.StatsSpans, Column.LinkFlags];
const canaryBytes = 4096;

describe("decodePage() of random bytes stays within its own columns", () => {
  const physicals: [Physical, ValueKind][] = [
    [Physical.Boolean, ValueKind.Bool],
    [Physical.Int32, ValueKind.Number],
    [Physical.Int64, ValueKind.Number],
    [Physical.Double, ValueKind.Number],
    [Physical.ByteArray, ValueKind.String],
    [Physical.ByteArray, ValueKind.Id8],
    [Physical.ByteArray, ValueKind.Id16],
  ];
  const encodings = [
    Encoding.Plain,
    Encoding.PlainDictionary,
    Encoding.Rle,
    Encoding.BitPacked,
    Encoding.DeltaBinaryPacked,
    Encoding.DeltaLengthByteArray,
    Encoding.DeltaByteArray,
    Encoding.RleDictionary,
    9,
  ];

  test("every type and encoding, V1 and V2, all rows and some", () => {
    const next = random(4);
    const batch = SpanBatch.create();
    const { core } = batch;
    for (const column of canaryColumns) {
      const address = batch.reserveColumn(column, canaryBytes);
      new Uint8Array(core.memory.buffer, address, canaryBytes).fill(0xa5);
    }
    let decoded = 0;
    for (let i = 0; i < 20_000; i++) {
      if (i % 500 === 0) batch.reset();
      core.beginLeaves!();
      const [physical, kind] = physicals[next(physicals.length)]!;
      const keep = next(5);
      core.startLeaf!(1, kind, physical, next(2) * next(3), next(2) * next(3), keep);
      if (keep === Keep.Keys || keep === Keep.Selected) {
        core.beginAttrs!(Owner.Span);
        core.beginSelect!(next(2), next(2), next(3), next(3));
        core.wantKey!(next(3));
      }
      if (next(2)) {
        const rows = batch.reserveColumn(Column.Decode4, 16);
        const start = next(10);
        new Uint32Array(core.memory.buffer, rows, 4).set([
          start,
          start + next(5),
          start + 5,
          start + 5 + next(90),
        ]);
        core.wantRows!(2);
      }
      const bytes = Uint8Array.from({ length: next(120) }, () => (next(3) ? next(8) : next(256)));
      const address = batch.reserveColumn(Column.Input, bytes.length + 32);
      new Uint8Array(core.memory.buffer, address, bytes.length).set(bytes);
      if (next(2)) core.decodeDictionary!(1, address, next(bytes.length + 1), next(20));
      const levels = next(2);
      const repetition = levels ? next(Math.floor(bytes.length / 2) + 1) : 0;
      const definition = levels ? next(Math.floor(bytes.length / 2) + 1) : 0;
      const fault = core.decodePage!(
        1,
        next(5) ? next(16) : next(100_000),
        levels ? address : 0,
        address + repetition + definition,
        bytes.length - repetition - definition,
        repetition,
        definition,
        encodings[next(encodings.length)]!,
        next(2) ? 0 : -1,
      );
      expect(fault).toBeGreaterThanOrEqual(0);
      if (fault === 0) decoded++;
    }
    // The fuzzer is worth nothing if all of its pages are refused.
    expect(decoded).toBeGreaterThan(1000);
    for (const column of canaryColumns) {
      expect(batch.u8(column, canaryBytes).every((byte) => byte === 0xa5)).toBe(true);
    }
  });
});
