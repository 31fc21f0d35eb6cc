import { describe, expect, test } from "bun:test";
import { BodyTooLarge, ReceiveBusy, ReceivedBody, ReceiveMemory } from "./receive_memory.ts";

const kibibyte = 1 << 10;
const mebibyte = 1 << 20;

/** Bytes that tell where they stood. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31) >> 3);
}

describe("ReceiveMemory", () => {
  test("counts what is held and refuses more than its maximum", () => {
    const memory = new ReceiveMemory(mebibyte);
    const first = memory.take(5000);
    expect([first.length, memory.bytesHeld]).toEqual([64 * kibibyte, 64 * kibibyte]);
    const second = memory.take(100_000);
    expect(second.length).toBe(512 * kibibyte);
    memory.reserve(448 * kibibyte);
    expect(() => memory.take(1)).toThrow(ReceiveBusy);
    expect(() => memory.reserve(1)).toThrow(ReceiveBusy);
    memory.release(448 * kibibyte);
    memory.give(first);
    memory.give(second);
    expect(memory.bytesHeld).toBe(0);
  });

  test("gives a buffer that was given back", () => {
    const memory = new ReceiveMemory(mebibyte);
    const buffer = memory.take(10);
    memory.give(buffer);
    expect(memory.take(20)).toBe(buffer);
  });
});

describe("ReceivedBody", () => {
  test.each([0, 1, 4096, 4097, 65_536, 65_537, 524_288, 524_289, 3_000_000])(
    "holds a body of %d bytes, however it comes",
    (length) => {
      const bytes = pattern(length);
      for (const step of [length || 1, 16_384, 70_001]) {
        const memory = new ReceiveMemory(16 * mebibyte);
        const body = new ReceivedBody(memory, 4 * mebibyte);
        for (let at = 0; at < length; at += step) body.append(bytes.subarray(at, at + step));
        expect(body.length).toBe(length);
        expect(body.head(5)).toEqual(bytes.subarray(0, 5));
        expect(Buffer.compare(body.whole(), bytes)).toBe(0);
        expect(Buffer.compare(body.whole(), bytes)).toBe(0);
        body.release();
        body.release();
        expect(memory.bytesHeld).toBe(0);
      }
    },
  );

  test("holds little more than has come", () => {
    const memory = new ReceiveMemory(16 * mebibyte);
    const body = new ReceivedBody(memory, 8 * mebibyte);
    body.append(new Uint8Array(100));
    expect(memory.bytesHeld).toBe(4 * kibibyte);
    body.append(new Uint8Array(4 * kibibyte));
    expect(memory.bytesHeld).toBe(64 * kibibyte);
    body.append(new Uint8Array(64 * kibibyte));
    expect(memory.bytesHeld).toBe(512 * kibibyte);
    body.append(new Uint8Array(512 * kibibyte));
    expect(memory.bytesHeld).toBe(1024 * kibibyte);
    body.release();
  });

  test("a thousand clients with small requests fit into a few megabytes", () => {
    const memory = new ReceiveMemory(8 * mebibyte);
    const bodies = Array.from({ length: 1000 }, () => new ReceivedBody(memory, mebibyte));
    for (const body of bodies) body.append(new Uint8Array(300));
    for (const body of bodies) body.release();
    expect(memory.bytesHeld).toBe(0);
  });

  test("refuses what is over its limit, or over what the memory can ever hold", () => {
    const memory = new ReceiveMemory(16 * mebibyte);
    const body = new ReceivedBody(memory, 1000);
    body.append(new Uint8Array(1000));
    expect(() => body.append(new Uint8Array(1))).toThrow(BodyTooLarge);
    expect(body.length).toBe(1000);
    body.release();
    expect(() => new ReceivedBody(memory, 20 * mebibyte).append(new Uint8Array(9 * mebibyte))).toThrow(
      BodyTooLarge,
    );
    expect(memory.bytesHeld).toBe(0);
  });

  test("gives back what it held when there was no more to be had", () => {
    const memory = new ReceiveMemory(2 * mebibyte);
    const other = new ReceivedBody(memory, mebibyte);
    other.append(new Uint8Array(mebibyte));
    const body = new ReceivedBody(memory, mebibyte);
    body.append(new Uint8Array(600 * kibibyte));
    expect(() => body.whole()).toThrow(ReceiveBusy);
    body.release();
    other.release();
    expect(memory.bytesHeld).toBe(0);
  });
});
