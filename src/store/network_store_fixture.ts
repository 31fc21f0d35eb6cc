// For tests: a store as over a network, which keeps what it is asked for.
import { MemoryStore } from "./memory_store_fixture.ts";
import type { StoreRange } from "./store.ts";
import { StoreNotFound } from "./store_error.ts";

/** Counts what is asked, each call a round trip. */
export class NetworkStore extends MemoryStore {
  override readonly remote = true;
  readonly trips: string[] = [];
  /** Bytes of ranges. */
  bytes = 0;

  override async read(path: string): Promise<Uint8Array> {
    this.trips.push(path.split("/")[2]!);
    return super.read(path);
  }

  override async readRanges(path: string, ranges: readonly StoreRange[]): Promise<Uint8Array[]> {
    this.trips.push(`${path.split("/")[2]} ${ranges.length}`);
    const object = this.objects.get(path);
    if (!object) throw new StoreNotFound(path);
    return ranges.map(({ offset, length }) => {
      this.bytes += length;
      return object.bytes.subarray(offset, offset + length);
    });
  }
}
