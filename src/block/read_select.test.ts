// Attributes by name on pages made by hand: lists of random shape, cut into pages anywhere, against what was put in.
import { expect, test } from "bun:test";
import { AttrType, Column } from "../../wasm/column_ids.ts";
import { DecodeFault, Encoding, Keep, Owner, Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";
import { attributesOf } from "./read_fixture.ts";

function random(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
type Next = (bound: number) => number;

const le32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const le64 = (value: number) => [...le32(value), ...le32(value < 0 ? -1 : 0)];

/** Numbers in Parquet's hybrid, as runs and packed groups of random lengths. */
function hybrid(numbers: number[], width: number, next: Next): number[] {
  const bytes: number[] = [];
  const varint = (value: number) => {
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
    bytes.push(rest);
  };
  for (let i = 0; i < numbers.length; ) {
    let run = 1;
    while (i + run < numbers.length && numbers[i + run] === numbers[i]) run++;
    if (run >= 8 || next(20) === 0) {
      varint(run << 1);
      for (let k = 0; k < Math.ceil(width / 8); k++) bytes.push((numbers[i]! >>> (8 * k)) & 255);
      i += run;
      continue;
    }
    const groups = Math.min(1 + next(6), Math.ceil((numbers.length - i) / 8));
    varint((groups << 1) | 1);
    let bits = 0n;
    for (let k = 0; k < groups * 8; k++) bits |= BigInt(numbers[i + k] ?? 0) << BigInt(k * width);
    for (let k = 0; k < groups * width; k++) bytes.push(Number((bits >> BigInt(8 * k)) & 255n));
    i += groups * 8;
  }
  return bytes;
}

const widthOf = (max: number) => 32 - Math.clz32(max);

interface Slot {
  repetition: number;
  definition: number;
  value: number | null;
}

interface Leaf {
  number: number;
  kind: ValueKind;
  physical: Physical;
  maxRepetition: number;
  maxDefinition: number;
  keep: Keep;
}

class Decoder {
  readonly batch = SpanBatch.create();

  give(bytes: number[]): number {
    const address = this.batch.reserveColumn(Column.Input, bytes.length + 32);
    new Uint8Array(this.batch.core.memory.buffer, address, bytes.length).set(bytes);
    return address;
  }

  start(leaf: Leaf): void {
    const { number, kind, physical, maxRepetition, maxDefinition, keep } = leaf;
    this.batch.core.startLeaf!(number, kind, physical, maxRepetition, maxDefinition, keep);
  }

  page(leaf: Leaf, slots: Slot[], firstRow: number, next: Next, indexWidth: number): void {
    const levels = (of: number[], max: number): number[] => {
      if (max === 0) return [];
      const bytes = hybrid(of, widthOf(max), next);
      return [...le32(bytes.length), ...bytes];
    };
    const values = slots.flatMap(({ value }) => (value === null ? [] : [value]));
    const body = [
      ...levels(
        slots.map(({ repetition }) => repetition),
        leaf.maxRepetition,
      ),
      ...levels(
        slots.map(({ definition }) => definition),
        leaf.maxDefinition,
      ),
      ...(indexWidth >= 0 ? [indexWidth, ...hybrid(values, indexWidth, next)] : values.flatMap(le64)),
    ];
    const from = this.give(body);
    const encoding = indexWidth >= 0 ? Encoding.RleDictionary : Encoding.Plain;
    const { core } = this.batch;
    const fault = core.decodePage!(leaf.number, slots.length, 0, from, body.length, 0, 0, encoding, firstRow);
    expect(fault).toBe(DecodeFault.None);
  }

  /** Decodes slots in pages that begin anywhere. */
  pages(leaf: Leaf, slots: Slot[], next: Next, indexWidth = -1): void {
    for (let i = 0; i < slots.length; ) {
      const count = Math.min(slots.length - i, 1 + next(90));
      this.page(leaf, slots.slice(i, i + count), i === 0 ? 0 : -1, next, indexWidth);
      i += count;
    }
  }
}

/** Spans of rows, their attributes: a key by number, and values. */
type Rows = { key: number; values: number[] }[][][];

const keyNames = ["a", "bb", "ccc", "d", "e", "f", "g", "h", "i", "j", "k"];

function randomRows(next: Next): Rows {
  const list = <Item>(max: number, make: () => Item): Item[] => Array.from({ length: next(max + 1) }, make);
  return Array.from({ length: 1 + next(40) }, () =>
    list(4, () =>
      list(next(5) ? 6 : 40, () => ({
        key: next(keyNames.length),
        values: Array.from({ length: next(4) ? 1 : next(5) ? next(3) : next(40) }, () => next(1000)),
      })),
    ),
  );
}

function slotsOf(rows: Rows): { spans: Slot[]; keys: Slot[]; values: Slot[] } {
  const spans: Slot[] = [];
  const keys: Slot[] = [];
  const values: Slot[] = [];
  for (const row of rows) {
    const none = { repetition: 0, definition: 0, value: null };
    if (row.length === 0) for (const list of [spans, keys, values]) list.push(none);
    for (const [i, span] of row.entries()) {
      const ofSpan = i === 0 ? 0 : 1;
      spans.push({ repetition: ofSpan, definition: 1, value: 0 });
      if (span.length === 0) {
        for (const list of [keys, values]) list.push({ repetition: ofSpan, definition: 1, value: null });
      }
      for (const [k, attribute] of span.entries()) {
        const ofAttribute = k === 0 ? ofSpan : 2;
        keys.push({ repetition: ofAttribute, definition: 2, value: attribute.key });
        if (attribute.values.length === 0)
          values.push({ repetition: ofAttribute, definition: 2, value: null });
        for (const [n, value] of attribute.values.entries()) {
          values.push({ repetition: n === 0 ? ofAttribute : 3, definition: 3, value });
        }
      }
    }
  }
  return { spans, keys, values };
}

/** An AnyValue { array_value } of ints below 2^14, as hexadecimal digits. */
function arrayMessage(values: number[]): string {
  const varint = (value: number) => (value < 128 ? [value] : [(value & 127) | 128, value >> 7]);
  const elements = values.flatMap((value) => {
    const scalar = [0x18, ...varint(value)];
    return [0x0a, scalar.length, ...scalar];
  });
  return Buffer.from([0x2a, ...varint(elements.length), ...elements]).toString("hex");
}

test("attributes by name, of all rows and of some, with values in one page or several", () => {
  const next = random(11);
  const structure = { kind: ValueKind.Number, physical: Physical.Int64, maxRepetition: 1, maxDefinition: 1 };
  const keyLeaf = {
    kind: ValueKind.String,
    physical: Physical.ByteArray,
    maxRepetition: 2,
    maxDefinition: 2,
  };
  const valueLeaf = { kind: ValueKind.Number, physical: Physical.Int64, maxRepetition: 3, maxDefinition: 3 };
  const decoder = new Decoder();
  const { batch } = decoder;
  const { core } = batch;
  let found = 0;
  for (let round = 0; round < 400; round++) {
    const rows = randomRows(next);
    const slots = slotsOf(rows);
    const wanted = keyNames.filter(() => next(4) === 0);
    const first = next(rows.length);
    const ranges = next(2) ? null : [first, first + 1 + next(5), first + 8, first + 20];
    const isRead = (row: number) =>
      !ranges || (row >= ranges[0]! && row < ranges[1]!) || (row >= ranges[2]! && row < ranges[3]!);
    const read = rows.filter((_, row) => isRead(row));

    batch.reset();
    core.beginLeaves!();
    if (ranges) {
      const address = batch.reserveColumn(Column.Decode4, 16);
      new Uint32Array(core.memory.buffer, address, 4).set(ranges);
      core.wantRows!(2);
    }
    core.beginRecords!();
    expect(core.fillUnnamedTraces!(read.length)).toBe(0);
    const spans = { ...structure, number: 0, keep: Keep.LevelsAlone };
    decoder.start(spans);
    decoder.pages(spans, slots.spans, next);
    expect(core.fillSpans!(0, 1, 1, 1, 1, 1)).toBe(0);
    core.dropLeaf!(0);

    core.beginAttrs!(Owner.Span);
    core.beginSelect!(1, 1, 2, 2);
    for (const name of wanted) {
      decoder.give([...Buffer.from(name)]);
      core.wantKey!(core.internInput!(name.length));
    }
    const keys = { ...keyLeaf, number: 1, keep: Keep.Keys };
    decoder.start(keys);
    const entries = keyNames.flatMap((name) => [...le32(name.length), ...Buffer.from(name)]);
    expect(core.decodeDictionary!(1, decoder.give(entries), entries.length, keyNames.length)).toBe(0);
    // Indexes of more bits than a byte has go another way.
    decoder.pages(keys, slots.keys, next, next(2) ? 4 : 11);
    expect(core.endKeys!()).toBe(0);
    expect(core.layOutAttrs!()).toBe(0);
    core.fillSelectedKeys!();
    const values = { ...valueLeaf, number: 2, keep: Keep.Selected };
    decoder.start(values);
    decoder.pages(values, slots.values, next);
    expect(core.fillValues!(2, 2, 2, AttrType.Int, 0)).toBe(0);
    core.endRecords!();

    const expected = read.flat();
    expect(batch.spans).toBe(expected.length);
    for (const [span, attributes] of expected.entries()) {
      const kept = attributes
        .filter(({ key }) => wanted.includes(keyNames[key]!))
        .map(({ key, values }) => {
          const type =
            values.length === 0 ? AttrType.None : values.length === 1 ? AttrType.Int : AttrType.Array;
          const value = type === AttrType.Array ? arrayMessage(values) : String(values[0] ?? 0);
          return { key: keyNames[key]!, type, value };
        });
      found += kept.length;
      expect(attributesOf(batch, "span", span)).toEqual(kept);
    }
  }
  expect(found).toBeGreaterThan(10_000);
});

test("dictionary indexes of every width, all of them and some", () => {
  const next = random(12);
  const decoder = new Decoder();
  const { core } = decoder.batch;
  for (const width of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]) {
    const count = 2 ** width;
    for (let round = 0; round < 4; round++) {
      const indexes = Array.from({ length: 1 + next(700) }, () => (next(3) ? next(count) : 0));
      const leaf = {
        number: 0,
        kind: ValueKind.Number,
        physical: Physical.Int64,
        maxRepetition: 0,
        maxDefinition: 0,
        keep: Keep.Values,
      };
      core.beginLeaves!();
      const wanted = round % 2 === 0 ? null : [next(50), 60, 61, 62, 300, 300 + next(40)];
      if (wanted) {
        const address = decoder.batch.reserveColumn(Column.Decode4, 24);
        new Uint32Array(core.memory.buffer, address, 6).set(wanted);
        core.wantRows!(3);
      }
      decoder.start(leaf);
      const entries = Array.from({ length: count }, (_, i) => le64(i * 3)).flat();
      expect(core.decodeDictionary!(0, decoder.give(entries), entries.length, count)).toBe(0);
      const slots = indexes.map((value) => ({ repetition: 0, definition: 0, value }));
      decoder.page(leaf, slots, 0, next, width);
      const decoded = core.decodedValueCount!(0);
      const values = [...new BigInt64Array(core.memory.buffer, core.decodedValues!(0), decoded)].map(Number);
      const kept = wanted
        ? [...indexes.slice(wanted[0], 60), ...indexes.slice(61, 62), ...indexes.slice(300, wanted[5])]
        : indexes;
      expect(values).toEqual(kept.map((index) => index * 3));
    }
  }
});

test("rows of a dictionary entry", () => {
  const next = random(13);
  const decoder = new Decoder();
  const { core } = decoder.batch;
  const leaf = {
    number: 0,
    kind: ValueKind.String,
    physical: Physical.ByteArray,
    maxRepetition: 3,
    maxDefinition: 3,
    keep: Keep.Levels,
  };
  for (let round = 0; round < 100; round++) {
    const rows = randomRows(next);
    const { values } = slotsOf(rows);
    core.beginLeaves!();
    decoder.start(leaf);
    core.deferDictionary!(1000);
    decoder.pages(leaf, values, next, 10);
    const entry = rows.flat(2).flatMap(({ values }) => values)[0] ?? 5;
    const count = core.rowsOfIndex!(0, entry);
    const expected = [...rows.entries()].filter(([, spans]) =>
      spans.flat().some((attribute) => attribute.values.includes(entry)),
    );
    expect([...decoder.batch.u32(Column.Output, count)]).toEqual(expected.map(([row]) => row));
  }
});
