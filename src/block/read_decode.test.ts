// The decoders of the core on pages made by hand, from the examples of the Parquet format's own pages where it has some.
import { describe, expect, test } from "bun:test";
import { Column } from "../../wasm/column_ids.ts";
import { DecodeFault, Encoding, Physical, ValueKind } from "../../wasm/parquet_decode_ids.ts";
import { SpanBatch } from "../batch/span_batch.ts";

interface Page {
  kind: ValueKind;
  physical: Physical;
  encoding: Encoding;
  slots: number;
  bytes: number[];
  maxRepetition?: number;
  maxDefinition?: number;
  dictionary?: { bytes: number[]; count: number };
  rows?: number[];
}

/** Decodes one V1 page. Returns the fault or the values. */
function decode(page: Page): DecodeFault | unknown[] {
  const batch = SpanBatch.create();
  const { core } = batch;
  const give = (bytes: number[]) => {
    const address = batch.reserveColumn(Column.Input, bytes.length + 32);
    new Uint8Array(core.memory.buffer, address, bytes.length).set(bytes);
    return address;
  };
  core.beginLeaves!();
  core.startLeaf!(0, page.kind, page.physical, page.maxRepetition ?? 0, page.maxDefinition ?? 0, 1);
  if (page.rows) {
    const address = batch.reserveColumn(Column.Decode4, page.rows.length * 4);
    new Uint32Array(core.memory.buffer, address, page.rows.length).set(page.rows);
    core.wantRows!(page.rows.length / 2);
  }
  if (page.dictionary) {
    const { bytes, count } = page.dictionary;
    const fault = core.decodeDictionary!(0, give(bytes), bytes.length, count);
    if (fault) return fault;
  }
  const from = give(page.bytes);
  const fault = core.decodePage!(0, page.slots, 0, from, page.bytes.length, 0, 0, page.encoding, 0);
  if (fault) return fault;
  const count = core.decodedValueCount!(0);
  const address = core.decodedValues!(0);
  if (page.kind === ValueKind.String) {
    return [...new Uint32Array(core.memory.buffer, address, count)].map((id) => batch.string(id));
  }
  if (page.kind === ValueKind.Id8)
    return [Buffer.from(core.memory.buffer, address, count * 8).toString("hex")];
  return [...new BigInt64Array(core.memory.buffer, address, count)].map(Number);
}

const ints = { kind: ValueKind.Number, physical: Physical.Int64 };
const texts = { kind: ValueKind.String, physical: Physical.ByteArray };
const ascii = (text: string) => [...Buffer.from(text)];
const le32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];

describe("decodePage()", () => {
  test("PLAIN: numbers, sign-extended int32, booleans, byte arrays", () => {
    const plain = { encoding: Encoding.Plain };
    expect(
      decode({ ...ints, ...plain, slots: 2, bytes: [1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(255)] }),
    ).toEqual([1, -1]);
    expect(
      decode({
        kind: ValueKind.Number,
        physical: Physical.Int32,
        ...plain,
        slots: 2,
        bytes: [...le32(7), ...le32(-2)],
      }),
    ).toEqual([7, -2]);
    expect(
      decode({
        kind: ValueKind.Bool,
        physical: Physical.Boolean,
        ...plain,
        slots: 9,
        bytes: [0b01010001, 1],
      }),
    ).toEqual([1, 0, 0, 0, 1, 0, 1, 0, 1]);
    expect(
      decode({
        ...texts,
        ...plain,
        slots: 3,
        bytes: [...le32(2), ...ascii("ab"), ...le32(0), ...le32(1), ...ascii("c")],
      }),
    ).toEqual(["ab", "", "c"]);
    expect(
      decode({
        kind: ValueKind.Id8,
        physical: Physical.ByteArray,
        ...plain,
        slots: 3,
        bytes: [...le32(8), 1, 2, 3, 4, 5, 6, 7, 8, ...le32(0), ...le32(2), 9, 10],
      }),
    ).toEqual(["010203040506070800000000000000000000000000000 90a".replace(" ", "")]);
  });

  test("dictionary indexes: the format's bit-packed 0 to 7, runs, bit width 0", () => {
    const dictionary = { bytes: Array.from({ length: 8 }, (_, i) => [...le32(1), 97 + i]).flat(), count: 8 };
    const indexed = { ...texts, encoding: Encoding.RleDictionary };
    expect(decode({ ...indexed, dictionary, slots: 8, bytes: [3, 0x03, 0x88, 0xc6, 0xfa] })).toEqual([
      ..."abcdefgh",
    ]);
    // A run of 5 times index 2, then one of 3 times index 7.
    expect(decode({ ...indexed, dictionary, slots: 8, bytes: [3, 10, 2, 6, 7] })).toEqual([
      ..."cccccchhh".slice(1),
    ]);
    const one = { bytes: [...le32(1), 120], count: 1 };
    expect(decode({ ...indexed, dictionary: one, slots: 2, bytes: [0, 4] })).toEqual(["x", "x"]);
    expect(decode({ ...indexed, dictionary: { bytes: [], count: 0 }, slots: 0, bytes: [0, 0] })).toEqual([]);
    expect(decode({ ...indexed, dictionary, slots: 1, bytes: [4, 2, 8] })).toBe(DecodeFault.Dictionary);
    expect(decode({ ...indexed, slots: 1, bytes: [0, 2] })).toBe(DecodeFault.Dictionary);
  });

  test("DELTA_BINARY_PACKED: the format's two examples", () => {
    const delta = { ...ints, encoding: Encoding.DeltaBinaryPacked };
    // 1, 2, 3, 4, 5: first 1, minimum delta 1, bit widths 0.
    expect(decode({ ...delta, slots: 5, bytes: [128, 1, 4, 5, 2, 2, 0, 0, 0, 0] })).toEqual([1, 2, 3, 4, 5]);
    // 7, 5, 3, 1, 2, 3, 4, 5: minimum delta -2, deltas above it 0, 0, 0, 3, 3, 3, 3 in 2 bits.
    const packed = [0b11000000, 0b00111111, 0, 0, 0, 0, 0, 0];
    expect(decode({ ...delta, slots: 8, bytes: [128, 1, 4, 8, 14, 3, 2, 0, 0, 0, ...packed] })).toEqual([
      7, 5, 3, 1, 2, 3, 4, 5,
    ]);
    // The last miniblock may lack its padding.
    expect(
      decode({ ...delta, slots: 8, bytes: [128, 1, 4, 8, 14, 3, 2, 0, 0, 0, ...packed.slice(0, 2)] }),
    ).toEqual([7, 5, 3, 1, 2, 3, 4, 5]);
    expect(decode({ ...delta, slots: 0, bytes: [128, 1, 4, 0, 0] })).toEqual([]);
    expect(decode({ ...delta, slots: 5, bytes: [128, 1, 4, 4, 2, 2, 0, 0, 0, 0] })).toBe(DecodeFault.Values);
    expect(decode({ ...delta, slots: 5, bytes: [128, 1, 4, 5, 2, 2, 65, 0, 0, 0] })).toBe(DecodeFault.Values);
    expect(decode({ ...delta, slots: 5, bytes: [128, 1, 0, 5, 2] })).toBe(DecodeFault.Values);
  });

  test("DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY: the format's example", () => {
    // Lengths 5, 5, 6, 6 as deltas; minimum delta 0, 0, 1, 0 in 1 bit.
    const lengths = [128, 1, 4, 4, 10, 0, 1, 0, 0, 0, 0b010, 0, 0, 0];
    const words = ascii("HelloWorldFoobarABCDEF");
    expect(
      decode({ ...texts, encoding: Encoding.DeltaLengthByteArray, slots: 4, bytes: [...lengths, ...words] }),
    ).toEqual(["Hello", "World", "Foobar", "ABCDEF"]);
    // axis, axle, babble, babyhood: prefixes 0, 2, 0, 3; suffixes 4, 2, 6, 5.
    const prefixes = [128, 1, 4, 4, 0, 3, 3, 0, 0, 0, 0b00100, 0b10100000 & 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // Deltas 2, -2, 3 over -2: 4, 0, 5 in 3 bits: 100 000 101 from the lowest bit on.
    prefixes[10] = 0b01000100;
    prefixes[11] = 0b1;
    // Deltas -2, 4, -1 over -2: 0, 6, 1 in 3 bits.
    const suffixes = [128, 1, 4, 4, 8, 3, 3, 0, 0, 0, 0b01110000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const tails = ascii("axislebabbleyhood");
    expect(
      decode({
        ...texts,
        encoding: Encoding.DeltaByteArray,
        slots: 4,
        bytes: [...prefixes, ...suffixes, ...tails],
      }),
    ).toEqual(["axis", "axle", "babble", "babyhood"]);
  });

  test("levels: values of wanted rows only, also of a row that goes on", () => {
    // Rows [10, 11], [], [12], [13, null, 14]: one repeated optional level each.
    const repetition = [0x03, 0b00000010 | (0b110000 << 0), 0];
    repetition.pop();
    // Slots 0..6: repetition 0 1 0 0 0 1 1, definition 2 2 0 2 2 1 2.
    const r = [0x03, 0b1100010];
    const d = [0x03, 0b10001010, 0b00100110];
    const values = [10, 11, 12, 13, 14].flatMap((value) => [value, 0, 0, 0, 0, 0, 0, 0]);
    const page = {
      ...ints,
      encoding: Encoding.Plain,
      slots: 7,
      maxRepetition: 1,
      maxDefinition: 2,
      bytes: [...le32(r.length), ...r, ...le32(d.length), ...d, ...values],
    };
    expect(decode(page)).toEqual([10, 11, 12, 13, 14]);
    expect(decode({ ...page, rows: [0, 1] })).toEqual([10, 11]);
    expect(decode({ ...page, rows: [1, 2] })).toEqual([]);
    expect(decode({ ...page, rows: [2, 3] })).toEqual([12]);
    expect(decode({ ...page, rows: [0, 1, 3, 4] })).toEqual([10, 11, 13, 14]);
    expect(decode({ ...page, rows: [3, 9] })).toEqual([13, 14]);
    expect(decode({ ...page, rows: [4, 9] })).toEqual([]);
    expect(decode({ ...page, slots: 9 })).toBe(DecodeFault.Levels);
    expect(decode({ ...page, maxDefinition: 1 })).not.toEqual([10, 11, 12, 13, 14]);
  });
});
