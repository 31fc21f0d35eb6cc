// Compression of pages: zstd by the runtime, straight from a view on the batch's memory.
import { constants, crc32, zstdCompressSync } from "node:zlib";

export interface CompressedPage {
  bytes: Uint8Array;
  crc: number;
  /** Length before compression. */
  rawBytes: number;
}

/**
 * What a page holds, for what pays: times and ids have nothing but short repeats, which zstd finds only if it is told to; in texts that
 * differ, levels up to 3 take time and save little; pages without values are few, since the leaves of a row group share them.
 */
export type PageContent = "numbers" | "texts" | "indexes" | "nothing";

/** Up to this level it depends on the content. */
const fastLevelMax = 3;
const emptyLevelMin = 5;
const shortMatchBytes = 4;
/** Smaller pages are not worth the longer call of node:zlib. */
const shortMatchPageMin = 4096;

/** zstd at a level, for byte strings that need not outlive the call. */
export function pageCompressor(level: number): (raw: Uint8Array, content: PageContent) => CompressedPage {
  const asGiven = zstdAt(level);
  const isFast = level <= fastLevelMax;
  const fastest = isFast ? zstdAt(1) : asGiven;
  const ofEmpty = zstdAt(level === 1 ? 1 : Math.max(level, emptyLevelMin));
  const compress = (raw: Uint8Array, content: PageContent): Uint8Array => {
    if (content === "nothing") return ofEmpty(raw);
    if (content === "texts") return fastest(raw);
    if (content === "indexes" || !isFast) return asGiven(raw);
    return raw.length < shortMatchPageMin ? fastest(raw) : zstdCompressSync(raw, shortMatches);
  };
  return (raw, content) => {
    const bytes = compress(raw, content);
    return { bytes, crc: crc32(bytes), rawBytes: raw.length };
  };
}

const shortMatches = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_minMatch]: shortMatchBytes },
};

/** Bun's own call gives the same bytes as its node:zlib, and costs 0.3 to 2 µs instead of 3 to 4 on the many tiny pages. */
function zstdAt(level: number): (raw: Uint8Array) => Uint8Array {
  if (typeof Bun !== "undefined")
    return (raw) => Bun.zstdCompressSync(raw as Uint8Array<ArrayBuffer>, { level });
  const options = { params: { [constants.ZSTD_c_compressionLevel]: level } };
  return (raw) => zstdCompressSync(raw, options);
}
