// What is read of a file before it is asked for, where requests go over a network: which ranges, and the bytes until the read is over.
import { traceIdBytes } from "../batch/trace_ids.ts";
import type { BlockMeta } from "./meta.ts";
import type { ByteRange } from "./read_plan.ts";

/** The footer's length and the magic behind it. */
export const trailerBytes = 8;
/** Files up to this are read whole: some hundred KiB take no longer there than a few. */
const wholeBytesMax = 512 << 10;
/** Of others the end is: the footer, and as much before it, where the page indexes take some half of that; within these bounds. */
const indexBytesMin = 64 << 10;
const indexBytesMax = 1 << 20;
/** Of the trace ids of a file so many bytes are read ahead, and a little more for the headers of their pages and for the codec. */
const idBytesAheadMax = 1 << 20;
const idBytesSpare = 1.02;
const pageBytesSpare = 256;
/** What one read holds of its file, beside what it has asked for. */
const heldBytesMax = 32 << 20;

/** What most reads begin with: all of a small file, of others the footer and the page indexes before it. */
export function aheadOfMost({ size, footerSize }: BlockMeta): ByteRange[] {
  if (size === 0) return [];
  const indexBytes = Math.min(Math.max(footerSize, indexBytesMin), indexBytesMax);
  const length = size <= wholeBytesMax ? size : Math.min(size, indexBytes + footerSize + trailerBytes);
  return [{ offset: size - length, length }];
}

/**
 * What reading all trace ids begins with: the footer, and the beginning of the file, where those of the first row group are: 16 bytes
 * each, which don't compress.
 */
export function aheadOfIds({ size, footerSize, totalObjects }: BlockMeta): ByteRange[] {
  const footer = { offset: size - footerSize - trailerBytes, length: footerSize };
  if (size === 0 || footerSize === 0 || footer.offset < 0) return [];
  const bytes = Math.min(totalObjects * traceIdBytes, idBytesAheadMax);
  const length = Math.min(Math.ceil(bytes * idBytesSpare) + pageBytesSpare, footer.offset);
  return [{ offset: 0, length }, footer];
}

export class HeldRanges {
  readonly #held: { offset: number; bytes: Uint8Array }[] = [];
  #bytes = 0;

  /** The bytes of a range that lies within one of those that are held. */
  part({ offset, length }: ByteRange): Uint8Array | null {
    for (const { offset: start, bytes } of this.#held) {
      if (offset >= start && offset + length <= start + bytes.length) {
        return bytes.subarray(offset - start, offset - start + length);
      }
    }
    return null;
  }

  /** Whether so many more bytes may be held. */
  hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= heldBytesMax;
  }

  add(offset: number, bytes: Uint8Array): void {
    this.#held.push({ offset, bytes });
    this.#bytes += bytes.length;
  }
}
