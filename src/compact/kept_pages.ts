// Decompressed pages that a slice of rows ends within: the next slice goes on with them.
import type { PlainPage } from "../block/read_leaf.ts";
import { release } from "../threads/garbage.ts";

/** Bytes that all inputs of a merge keep together. Pages that find no room are decompressed again. */
const bytesMax = 32 << 20;

/** Room that the inputs of a merge share. */
export class PageRoom {
  #bytes = bytesMax;

  take(bytes: number): boolean {
    if (bytes > this.#bytes) return false;
    this.#bytes -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** Pages of one input, by their place in its file. */
export class KeptPages {
  readonly #room: PageRoom;
  readonly #pages = new Map<number, PlainPage>();

  constructor(room: PageRoom) {
    this.#room = room;
  }

  get(offset: number): PlainPage | null {
    return this.#pages.get(offset) ?? null;
  }

  keep(offset: number, page: PlainPage): void {
    if (!this.#pages.has(offset) && this.#room.take(page.content.length)) this.#pages.set(offset, page);
  }

  drop(offset: number): void {
    const page = this.#pages.get(offset);
    if (!page) return;
    this.#pages.delete(offset);
    this.#room.giveBack(page.content.length);
    release(page.content);
  }

  /** Drops what was kept of a row group that is behind. */
  clear(): void {
    for (const offset of this.#pages.keys()) this.drop(offset);
  }
}
