// What a projection reads is what a whole read gives, and nothing else of the batch is touched.
import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import type { AttributeOwner, Projection } from "../search/projection.ts";
import { haveFixtures, type Row, readRows } from "./encode_fixture.ts";
import type { BlockReader } from "./read.ts";
import {
  attributesOf,
  columnOf,
  goldenData,
  goldenTenants,
  openGolden,
  ownBlock,
  rowsOf,
} from "./read_fixture.ts";
import type { RowRange } from "./read_plan.ts";

const owners: AttributeOwner[] = ["resource", "instrumentation", "span", "event", "link"];

/** Columns that a projection may name, by the table that they belong to. */
const columnsOf: Record<AttributeOwner, Column[]> = {
  resource: [Column.ResourceService, Column.ResourceDropped],
  instrumentation: [Column.ScopeName, Column.ScopeVersion, Column.ScopeDropped],
  span: [
    Column.SpanId,
    Column.SpanParent,
    Column.SpanName,
    Column.SpanKind,
    Column.SpanStatus,
    Column.SpanStatusMessage,
    Column.SpanState,
    Column.SpanStart,
    Column.SpanDuration,
    Column.SpanDroppedAttrs,
    Column.SpanDroppedEvents,
    Column.SpanDroppedLinks,
  ],
  event: [Column.EventTime, Column.EventName, Column.EventDropped],
  link: [Column.LinkTraceId, Column.LinkSpanId, Column.LinkState, Column.LinkDropped],
};

function random(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function namesIn(batch: SpanBatch, owner: AttributeOwner): string[] {
  const names = new Set<string>();
  for (let row = 0; row < rowsOf(batch, owner); row++) {
    for (const { key } of attributesOf(batch, owner, row)) names.add(key);
  }
  return [...names].sort();
}

function someOf<T>(items: readonly T[], next: (bound: number) => number): T[] {
  return items.filter(() => next(3) === 0);
}

/** A batch that holds nothing of what was there, but its memory. */
function dirtyBatch(whole: SpanBatch): SpanBatch {
  const batch = SpanBatch.create();
  for (let trace = 0; trace < Math.min(50, whole.traces); trace++) {
    batch.decode(whole.output(whole.core.assembleTrace!(trace)), 0);
  }
  batch.order();
  batch.reset();
  return batch;
}

function expectProjected(batch: SpanBatch, whole: SpanBatch, projection: Projection): void {
  const { columns, attributes } = projection;
  expect(batch.traces).toBe(whole.traces);
  expect(batch.spans).toBe(whole.spans);
  for (const column of [Column.SpanTrace, Column.SpanResource, Column.SpanScope]) {
    expect(columnOf(batch, column, batch.spans)).toEqual(columnOf(whole, column, whole.spans));
  }
  for (const owner of owners) {
    const named = attributes[owner];
    const wanted = columnsOf[owner].filter((column) => columns.includes(column));
    const rows = rowsOf(batch, owner);
    const asked = wanted.length > 0 || (named?.length ?? 0) > 0;
    if (owner === "event" || owner === "link") {
      expect(rows).toBe(asked ? rowsOf(whole, owner) : 0);
      const starts = owner === "event" ? Column.SpanEventStart : Column.SpanLinkStart;
      if (asked) {
        expect(columnOf(batch, starts, batch.spans + 1)).toEqual(columnOf(whole, starts, whole.spans + 1));
      } else expect(batch.u32(starts, batch.spans + 1).every((start) => start === 0)).toBe(true);
    } else expect(rows).toBe(rowsOf(whole, owner));
    for (const column of columnsOf[owner]) {
      const filled =
        wanted.includes(column) || (column === Column.ResourceService && isWanted(named, "service.name"));
      const other = column === Column.SpanStart && columns.includes(Column.EventTime);
      if (filled) expect(columnOf(batch, column, rows)).toEqual(columnOf(whole, column, rows));
      else if (!other && !isLinkMessage(batch, owner)) {
        const values = columnOf(batch, column, rows);
        expect(values.every((value) => value === 0 || value === 0n || value === "")).toBe(true);
      }
    }
    for (let row = 0; row < rows; row++) {
      const expected = attributesOf(whole, owner, row).filter(({ key }) => isWanted(named, key));
      const read = attributesOf(batch, owner, row);
      if (isLinkMessage(batch, owner)) expect(read).toEqual(attributesOf(whole, owner, row));
      else if (read.length + expected.length > 0) expect(read).toEqual(expected);
    }
  }
}

/** vParquet3 has all of a span's links in one message. */
let linksAreMessages = false;

function isLinkMessage(batch: SpanBatch, owner: AttributeOwner): boolean {
  return linksAreMessages && owner === "link" && batch.core.linkCount!() > 0;
}

function isWanted(named: readonly string[] | "all" | undefined, name: string): boolean {
  return named !== undefined && (named === "all" || named.includes(name));
}

function expectOrdered(batch: SpanBatch): void {
  expect(batch.core.orderedTraces!()).toBe(batch.traces);
  expect(batch.core.orderedSpans!()).toBe(batch.spans);
  expect(columnOf(batch, Column.OrderedTrace, batch.traces)).toEqual([...Array(batch.traces).keys()]);
  expect(columnOf(batch, Column.OrderedSpan, batch.spans)).toEqual([...Array(batch.spans).keys()]);
  const starts = batch.u32(Column.OrderedSpanStart, batch.traces + 1);
  const traces = batch.u32(Column.SpanTrace, batch.spans);
  expect(starts[batch.traces]).toBe(batch.spans);
  for (let trace = 0; trace < batch.traces; trace++) {
    for (let span = starts[trace]!; span < starts[trace + 1]!; span++) expect(traces[span]).toBe(trace);
  }
}

async function readBoth(
  reader: BlockReader,
  whole: SpanBatch,
  batch: SpanBatch,
  group: number,
  projection: Projection,
  rows?: RowRange[],
): Promise<void> {
  whole.reset();
  await reader.readRowGroup(whole, group, { rows });
  batch.reset();
  await reader.readRowGroup(batch, group, { rows, projection });
}

describe.skipIf(!haveFixtures)("readRowGroup() of a projection gives what a whole read gives", () => {
  for (const [place, golden] of goldenTenants().entries()) {
    // The large ones differ from "rich" in their number of pages alone.
    const rounds = golden.tenant === "load" ? 1 : 4;
    test(`${golden.root} ${golden.tenant}`, async () => {
      linksAreMessages = golden.root === "vParquet3";
      const next = random(7 + place);
      for (const reader of await openGolden(golden)) await expectSameAsWhole(reader, rounds, next);
    }, 120_000);
  }

  for (const pageBytesMax of [512, 131_072]) {
    test(`our blocks, pages of ${pageBytesMax} bytes`, async () => {
      linksAreMessages = false;
      const next = random(8);
      for (const tenant of ["rich", "edge", "dedicated"]) {
        await expectSameAsWhole(await ownBlock(tenant, pageBytesMax), 6, next);
      }
    }, 120_000);
  }
});

async function expectSameAsWhole(
  reader: BlockReader,
  rounds: number,
  next: (bound: number) => number,
): Promise<void> {
  const whole = SpanBatch.create();
  await reader.readRowGroup(whole, 0);
  const names = Object.fromEntries(owners.map((owner) => [owner, namesIn(whole, owner)]));
  const batch = dirtyBatch(whole);
  for (let round = 0; round < rounds; round++) {
    const attributes: Projection["attributes"] = {};
    for (const owner of owners) {
      const kind = next(4);
      if (kind === 0) attributes[owner] = "all";
      else if (kind < 3) attributes[owner] = [...someOf(names[owner]!, next), "no such name"];
    }
    const projection: Projection = {
      traceIds: next(2) === 0,
      columns: someOf(Object.values(columnsOf).flat(), next),
      attributes,
    };
    const group = next(await reader.rowGroups());
    const some = [
      { start: 0, end: 1 },
      { start: 3, end: 3 + next(20) },
      { start: 25, end: 25 + next(100) },
    ];
    await readBoth(reader, whole, batch, group, projection, next(2) === 0 ? undefined : some);
    expectProjected(batch, whole, projection);
    expectOrdered(batch);
    if (projection.traceIds) {
      const bytes = whole.traces * 16;
      expect(Buffer.compare(batch.u8(Column.TraceId, bytes), whole.u8(Column.TraceId, bytes))).toBe(0);
    } else expect(batch.u8(Column.TraceId, batch.traces * 16).every((byte) => byte === 0)).toBe(true);
  }
}

const traceColumns = [
  Column.TraceStart,
  Column.TraceEnd,
  Column.TraceDuration,
  Column.TraceRootService,
  Column.TraceRootName,
];
const nestedColumns = [Column.NestedLeft, Column.NestedRight, Column.NestedParent];

/** A list of vParquet5 is bare; of the older ones it has two levels more. */
function elements(list: Row): Row[] {
  return list ?? [];
}

describe.skipIf(!haveFixtures)(
  "readRowGroup() reads trace columns, nested sets and stats as hyparquet does",
  () => {
    for (const golden of goldenTenants().filter(({ tenant }) => tenant !== "load")) {
      test(`${golden.root} ${golden.tenant}`, async () => {
        for (const reader of await openGolden(golden)) {
          const rows = await readRows(goldenData(golden, reader));
          const batch = SpanBatch.create();
          let before = 0;
          for (let group = 0; group < (await reader.rowGroups()); group++) {
            batch.reset();
            const projection = {
              traceIds: false,
              columns: [...traceColumns, ...nestedColumns, Column.TraceStatsStart],
              attributes: {},
            };
            await reader.readRowGroup(batch, group, { projection });
            const own = rows.slice(before, before + batch.traces);
            before += batch.traces;
            const texts = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
            const peers: [Column, (row: Row) => unknown][] = [
              [Column.TraceStart, (row) => BigInt.asUintN(64, row.StartTimeUnixNano)],
              [Column.TraceEnd, (row) => BigInt.asUintN(64, row.EndTimeUnixNano)],
              [Column.TraceDuration, (row) => BigInt.asUintN(64, row.DurationNano)],
              [Column.TraceRootService, (row) => row.RootServiceName],
              [Column.TraceRootName, (row) => row.RootSpanName],
            ];
            const plain = (value: unknown) => (value instanceof Uint8Array ? texts(value) : value);
            for (const [column, of] of peers) {
              expect(columnOf(batch, column, batch.traces)).toEqual(own.map((row) => plain(of(row))));
            }
            const spans = own.flatMap((row) =>
              elements(row.rs).flatMap(({ ss }) => elements(ss).flatMap(({ Spans }) => elements(Spans))),
            );
            expect(batch.spans).toBe(spans.length);
            for (const [column, name] of [
              [Column.NestedLeft, "NestedSetLeft"],
              [Column.NestedRight, "NestedSetRight"],
              [Column.NestedParent, "ParentID"],
            ] as const) {
              expect(columnOf(batch, column, batch.spans)).toEqual(spans.map((span) => span[name]));
            }
            const starts = batch.u32(Column.TraceStatsStart, batch.traces + 1);
            const services = columnOf(batch, Column.StatsService, starts[batch.traces]!);
            const counts = columnOf(batch, Column.StatsSpans, starts[batch.traces]!);
            const errors = columnOf(batch, Column.StatsErrors, starts[batch.traces]!);
            for (const [i, row] of own.entries()) {
              const read = Array.from({ length: starts[i + 1]! - starts[i]! }, (_, k) => {
                const at = starts[i]! + k;
                return `${services[at]} ${counts[at]} ${errors[at]}`;
              });
              const stats = row.ServiceStats ?? {};
              const expected = Array.isArray(stats)
                ? stats.map((s: Row) => `${plain(s.ServiceName)} ${s.SpanCount} ${s.ErrorCount}`)
                : Object.entries<Row>(stats).map(([key, s]) => `${key} ${s.SpanCount} ${s.ErrorCount}`);
              expect(read.sort()).toEqual(expected.sort());
            }
          }
          expect(before).toBe(rows.length);
        }
      }, 120_000);
    }
  },
);
