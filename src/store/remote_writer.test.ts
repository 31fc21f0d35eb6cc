import { describe, expect, test } from "bun:test";
import { MemoryService } from "./memory_service_fixture.ts";
import { RemoteWriter } from "./remote_writer.ts";
import { ServiceError } from "./service_error.ts";

const limits = { partBytes: 1000, partsMax: 2 };
const denied = () => new ServiceError("denied", { mayRetry: false, mayBeDone: false });

/** A service whose parts arrive when they are let through. */
function slowParts() {
  const service = new MemoryService();
  const upload = service.uploadPart.bind(service);
  const waiting: (() => void)[] = [];
  const sizes: number[] = [];
  service.uploadPart = async (...args) => {
    sizes.push(args[2].length);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return upload(...args);
  };
  return { service, waiting, sizes };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("RemoteWriter", () => {
  test("writes with one request what fits into a part", async () => {
    const service = new MemoryService();
    service.startUpload = () => Promise.reject(denied());
    const writer = new RemoteWriter(service, "k", limits);
    await writer.write(new Uint8Array(600).fill(1));
    await writer.write(new Uint8Array(400).fill(2));
    await writer.close();
    expect(service.objects.get("k")!.bytes).toHaveLength(1000);
  });

  test("writes an object once", async () => {
    for (const length of [500, 2500]) {
      const service = new MemoryService();
      const writer = new RemoteWriter(service, "k", limits);
      await writer.write(new Uint8Array(length));
      await writer.close();
      await expect(writer.close()).rejects.toThrow("written already");
      await expect(writer.write(new Uint8Array(1))).rejects.toThrow("written already");
      await writer.abort();
      expect(service.objects.get("k")!.bytes).toHaveLength(length);
    }
  });

  test("has no more parts on their way than it may", async () => {
    const { service, waiting, sizes } = slowParts();
    const writer = new RemoteWriter(service, "k", limits);
    await writer.write(new Uint8Array(2500));
    let isTaken = false;
    const writing = writer.write(new Uint8Array(1000)).then(() => {
      isTaken = true;
    });
    await turn();
    expect(sizes).toEqual([1000, 1000]);
    expect(isTaken).toBe(false);
    waiting.shift()!();
    await writing;
    expect(sizes).toEqual([1000, 1000, 1000]);
    const closing = writer.close();
    for (let i = 0; i < 10; i++) {
      waiting.shift()?.();
      await turn();
    }
    await closing;
    expect(sizes).toEqual([1000, 1000, 1000, 500]);
    expect(service.objects.get("k")!.bytes).toHaveLength(3500);
    expect(service.uploads.size).toBe(0);
  });

  test("gives up the upload when a part fails, and says why", async () => {
    const service = new MemoryService();
    service.uploadPart = () => Promise.reject(denied());
    const writer = new RemoteWriter(service, "k", limits);
    await writer.write(new Uint8Array(1500));
    await expect(writer.close()).rejects.toThrow("denied");
    await writer.abort();
    expect(service.uploads.size).toBe(0);
    expect(service.objects.size).toBe(0);
    await expect(writer.close()).rejects.toThrow("given up");
  });

  test("says with the next piece that a part failed", async () => {
    const service = new MemoryService();
    service.uploadPart = () => Promise.reject(denied());
    const writer = new RemoteWriter(service, "k", limits);
    await writer.write(new Uint8Array(1500));
    await turn();
    await expect(writer.write(new Uint8Array(1000))).rejects.toThrow("denied");
    await writer.abort();
    expect(service.uploads.size).toBe(0);
  });

  test("makes parts larger where there would be too many", async () => {
    const service = new MemoryService();
    let largest = 0;
    let parts = 0;
    service.uploadPart = async (_upload, _number, bytes) => {
      parts++;
      largest = Math.max(largest, bytes.length);
      return "";
    };
    service.completeUpload = async () => {};
    const writer = new RemoteWriter(service, "k", { partBytes: 10, partsMax: 2 });
    const piece = new Uint8Array(100_000);
    for (let i = 0; i < 6; i++) await writer.write(piece);
    await writer.close();
    expect(largest).toBe(10 * 2 ** 4);
    expect(parts).toBeLessThan(10_000);
  });
});
