// Binary fuse filters over trace ids, in the core: see wasm/fuse.ts. One instance of it per thread makes them and is asked.
import { readModule } from "../batch/core.ts";
import { traceIdBytes } from "../batch/trace_ids.ts";

const moduleUrl = new URL("../../build/fuse.wasm", import.meta.url);

/** How a filter's array is laid out. */
export interface FuseShape {
  /** Places of a segment, a power of two. */
  segmentLength: number;
  /** Segments in which the first of an id's places may lie; there are two more. */
  segments: number;
}

export interface Fuse extends FuseShape {
  seedLow: number;
  seedHigh: number;
  numbers: Uint16Array;
}

interface FuseExports {
  readonly memory: WebAssembly.Memory;
  askedAddress(): number;
  filtersAddress(): number;
  arrayAddress(): number;
  makeRoom(ids: number, places: number): number;
  construct(ids: number, seedLow: number, seedHigh: number, length: number, segments: number): number;
  holdsAll(ids: number): number;
  locateInFilters(count: number): void;
}

/** Seeds that are tried. One in a few dozen fails, and all of them only where ids repeat, which a block's do not. */
const seedsMax = 100;
/** As wasm/fuse.ts has room for. */
const filtersAtOnce = 512;

/** The sizes that the authors of the filter found to work for three places an id, for `ids` ids. */
export function fuseShape(ids: number): FuseShape {
  const several = Math.max(ids, 2);
  const segmentLength = Math.min(2 ** Math.floor(Math.log(several) / Math.log(3.33) + 2.25), 2 ** 18);
  const factor = Math.max(1.125, 0.875 + (0.25 * Math.log(1e6)) / Math.log(several));
  const segments = Math.max(1, Math.ceil(Math.round(several * factor) / segmentLength) - 2);
  return { segmentLength, segments };
}

export function placesOf({ segmentLength, segments }: FuseShape): number {
  return segmentLength * (segments + 2);
}

export class FuseCore {
  readonly #core: FuseExports;

  private constructor() {
    const compiled = new WebAssembly.Module(readModule(moduleUrl));
    this.#core = new WebAssembly.Instance(compiled).exports as unknown as FuseExports;
  }

  static #ofThread: FuseCore | undefined;

  /** The one of this thread. */
  static get(): FuseCore {
    FuseCore.#ofThread ??= new FuseCore();
    return FuseCore.#ofThread;
  }

  /**
   * Makes a filter of ids, and tries each of them on it.
   *
   * @param list 16 bytes each, ascending
   * @param random gives seeds, 32 bits each
   * @returns null if none can be made, since ids repeat where they should not
   */
  construct(list: Uint8Array, random: () => number = random32): Fuse | null {
    const ids = list.length / traceIdBytes;
    const shape = fuseShape(ids);
    const room = this.#core.makeRoom(ids, placesOf(shape));
    new Uint8Array(this.#core.memory.buffer, room, list.length).set(list);
    const { segmentLength, segments } = shape;
    for (let attempt = 0; attempt < seedsMax; attempt++) {
      const seedLow = random();
      const seedHigh = random();
      if (!this.#core.construct(ids, seedLow, seedHigh, segmentLength, segments)) continue;
      if (!this.#core.holdsAll(ids)) throw new Error("fuse filter: an id does not pass its own filter");
      const array = new Uint16Array(this.#core.memory.buffer, this.#core.arrayAddress(), placesOf(shape));
      return { ...shape, seedLow, seedHigh, numbers: array.slice() };
    }
    return null;
  }

  /**
   * Asks filters for an id.
   *
   * @param id 16 bytes
   * @returns places in the list of those that may hold it
   */
  passing(filters: readonly Fuse[], id: Uint8Array): number[] {
    const { buffer } = this.#core.memory;
    new Uint8Array(buffer, this.#core.askedAddress(), traceIdBytes).set(id);
    const table = new Uint32Array(buffer, this.#core.filtersAddress(), filtersAtOnce * 4);
    const found: number[] = [];
    for (let from = 0; from < filters.length; from += filtersAtOnce) {
      const count = Math.min(filtersAtOnce, filters.length - from);
      for (let i = 0; i < count; i++) {
        const { seedLow, seedHigh, segmentLength, segments } = filters[from + i]!;
        table[i * 4] = seedLow;
        table[i * 4 + 1] = seedHigh;
        table[i * 4 + 2] = segmentLength;
        table[i * 4 + 3] = segments;
      }
      this.#core.locateInFilters(count);
      for (let i = 0; i < count; i++) {
        const { numbers } = filters[from + i]!;
        const print = numbers[table[i * 4]!]! ^ numbers[table[i * 4 + 1]!]! ^ numbers[table[i * 4 + 2]!]!;
        if (print === table[i * 4 + 3]) found.push(from + i);
      }
    }
    return found;
  }
}

function random32(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
