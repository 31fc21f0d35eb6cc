// Small WAL segments in a directory of their own, for tests.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type WalFiles, walFiles } from "./wal_files.ts";
import { type SegmentState, WalReader } from "./wal_reader.ts";
import type { SegmentIdentity } from "./wal_record.ts";
import { WalSegment } from "./wal_segment.ts";

export const identity: SegmentIdentity = {
  tenant: "single-tenant",
  sequence: 1,
  uuid: "00112233-4455-4677-8899-aabbccddeeff",
};
export const createdMs = 1_700_000_000_000;

/** A directory that `using` removes. */
export function temporaryDirectory(): { path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "rubato-wal-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A payload of that length, different for each seed. */
export function payload(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17 + (seed >> 3)) & 0xff);
}

/** Writes one segment with these payloads. */
export async function writeSegment(path: string, payloads: Uint8Array[]): Promise<void> {
  const segment = WalSegment.create(path, identity, createdMs, false);
  if (payloads.length > 0) segment.append(payloads);
  await segment.close();
}

export interface ReadBack {
  payloads: Uint8Array[];
  numbers: number[];
  state: SegmentState;
}

export function readBack(path: string): ReadBack {
  const reader = new WalReader(path, identity);
  const payloads: Uint8Array[] = [];
  const numbers: number[] = [];
  for (let record = reader.next(); record; record = reader.next()) {
    payloads.push(record.payload.slice());
    numbers.push(record.number);
  }
  reader.close();
  return { payloads, numbers, state: { ...reader.state } };
}

/** The real files, with faults: what is set is thrown by the next call of that name, again and again until it is cleared. */
export class FaultyFiles implements WalFiles {
  faults: Partial<Record<keyof WalFiles, Error>> = {};
  calls: string[] = [];
  /** Bytes that the disk has room for. */
  roomBytes = Number.POSITIVE_INFINITY;
  /** At most so many bytes are taken by one write. */
  writeBytesMax = Number.POSITIVE_INFINITY;

  #check(name: keyof WalFiles): void {
    this.calls.push(name);
    const fault = this.faults[name];
    if (fault) throw fault;
  }

  open(path: string, mode: "create" | "append"): number {
    this.#check("open");
    return walFiles.open(path, mode);
  }

  write(file: number, buffers: Uint8Array[], position: number): number {
    this.#check("write");
    const all = Buffer.concat(buffers);
    const taken = Math.min(all.length, this.writeBytesMax, this.roomBytes);
    if (taken === 0) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
    this.roomBytes -= taken;
    return walFiles.write(file, [all.subarray(0, taken)], position);
  }

  truncate(file: number, length: number): void {
    this.#check("truncate");
    walFiles.truncate(file, length);
  }

  sync(): void {
    this.#check("sync");
  }

  async syncLater(file: number): Promise<void> {
    this.#check("syncLater");
    await walFiles.syncLater(file);
  }

  close(file: number): void {
    this.#check("close");
    walFiles.close(file);
  }

  remove(path: string): void {
    this.#check("remove");
    walFiles.remove(path);
  }

  syncDirectory(): void {
    this.#check("syncDirectory");
  }
}
