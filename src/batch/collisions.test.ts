// Clients choose ids and strings: as many as they like would meet in one slot of a table if its hash were the same everywhere.
import { expect, test } from "bun:test";
import { SpanBatch } from "./span_batch.ts";
import { field, fixed64, message } from "./wire_fixture.ts";

const count = 50_000;
const u64 = (value: bigint) => BigInt.asUintN(64, value);

function bytesOf(...words: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words, u64).buffer);
}

function requestOf(span: (i: number) => Uint8Array[]): Uint8Array {
  const spans = Array.from({ length: count }, (_, i) => field(2, message(...span(i))));
  return field(1, field(2, message(...spans)));
}

/** Milliseconds to take the spans in and put them in order; the better of two runs. */
function milliseconds(request: Uint8Array): number {
  const runs = [0, 1].map(() => {
    const batch = SpanBatch.create();
    const startedAt = performance.now();
    batch.decode(request, 0);
    expect(batch.order().spans).toBe(count);
    return performance.now() - startedAt;
  });
  return Math.min(...runs);
}

/** One after the other along a chain, 50000 take some 100 times as long as others do. */
function expectAsFast(chosen: (i: number) => Uint8Array[], harmless: (i: number) => Uint8Array[]): void {
  expect(milliseconds(requestOf(chosen))).toBeLessThan(10 * milliseconds(requestOf(harmless)) + 100);
}

/** splitmix64's finaliser. */
function mix(value: bigint): bigint {
  let h = value ^ (value >> 30n);
  h = u64(h * 0xbf58476d1ce4e5b9n);
  h = u64((h ^ (h >> 27n)) * 0x94d049bb133111ebn);
  return h ^ (h >> 31n);
}

test("trace ids that an unseeded hash would put into one slot take no longer than others", () => {
  const span = (low: bigint, high: bigint) => [field(1, bytesOf(low, high)), field(2, bytesOf(1n))];
  expectAsFast(
    (i) => span(mix(BigInt(i + 1)) + 0x9e3779b97f4a7c15n, BigInt(i + 1)),
    (i) => span(1n, BigInt(i + 1)),
  );
});

test("strings whose differences cancel each other out take no longer than others", () => {
  const span = (i: number, undone: bigint) => {
    const words: bigint[] = [];
    for (let bit = 0; bit < 16; bit++) words.push(...((i >> bit) & 1 ? [1n << 63n, undone] : [0n, 0n]));
    return [field(1, bytesOf(1n, 0n)), field(2, bytesOf(BigInt(i + 1))), field(5, bytesOf(...words))];
  };
  expectAsFast(
    (i) => span(i, (1n << 63n) | (1n << 31n)),
    (i) => span(i, 1n),
  );
});

test("spans of one trace whose fields make up for each other take no longer than others", () => {
  const span = (id: bigint, duration: bigint) => [
    field(1, bytesOf(1n, 0n)),
    field(2, bytesOf(id)),
    fixed64(7, 1000n),
    fixed64(8, 1000n + duration),
  ];
  expectAsFast(
    (i) => span((BigInt(i + 1) << 20n) ^ 5n, BigInt(i + 1)),
    (i) => span(BigInt(i + 1), 1n),
  );
});

test("spans of one id that differ in their parents alone take no longer than others", () => {
  const span = (id: bigint, parent: bigint) => [
    field(1, bytesOf(1n, 0n)),
    field(2, bytesOf(id)),
    field(4, bytesOf(parent)),
  ];
  expectAsFast(
    (i) => span(1n, BigInt(i + 1)),
    (i) => span(BigInt(i + 1), 1n),
  );
});
