// The frames of a zstd body, by their headers alone (RFC 8878 §3.1).
//
// node:zlib hands out what it has of a zstd frame that is cut off, without an error, on Bun and Deno alike, and Deno
// stops after the first of several frames: both would lose spans in silence. Here a body is known to be whole before it
// is decompressed, and its frames are told apart.

const magic = 0xfd2fb528;
/** 16 magic numbers of frames to be skipped, §3.1.2. */
const skippableMagic = 0x184d2a5;
/** What a decoder should support at least, §3.1.1.1.2, and all that encoders use below their "ultra" levels. */
const windowBytesMax = 8 << 20;

/**
 * Offsets at which frames begin and end.
 *
 * @param bytesMax largest content wanted: a frame whose header announces more is refused
 * @throws Error naming what is wrong
 */
export function zstdFrames(body: Uint8Array, bytesMax: number): { start: number; end: number }[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const frames: { start: number; end: number }[] = [];
  let at = 0;
  while (at < body.length) {
    const start = at;
    need(at + 4);
    const number = view.getUint32(at, true);
    if (number >>> 4 === skippableMagic) {
      need(at + 8);
      at += 8 + view.getUint32(at + 4, true);
      need(at);
      continue;
    }
    if (number !== magic) throw new Error("not a zstd frame");
    at = frameEnd(at + 4);
    frames.push({ start, end: at });
  }
  return frames;

  function need(end: number): void {
    if (end > body.length) throw new Error("unexpected end of zstd frame");
  }

  function frameEnd(from: number): number {
    let at = from;
    need(at + 1);
    const descriptor = body[at++]!;
    const contentFlag = descriptor >> 6;
    const single = (descriptor & 0x20) !== 0;
    if (descriptor & 0x08) throw new Error("reserved bit set in zstd frame header");
    if (!single) {
      need(at + 1);
      const exponent = body[at]! >> 3;
      const base = 2 ** (10 + exponent);
      if (base + (base / 8) * (body[at]! & 7) > windowBytesMax) throw new Error("zstd window too large");
      at++;
    }
    at += [0, 1, 2, 4][descriptor & 3]!;
    const contentBytes = contentFlag === 0 ? (single ? 1 : 0) : 1 << contentFlag;
    need(at + contentBytes);
    if (contentBytes > 0 && contentSize(at, contentBytes) > bytesMax) throw new ZstdTooLarge();
    at += contentBytes;
    for (;;) {
      need(at + 3);
      const header = body[at]! | (body[at + 1]! << 8) | (body[at + 2]! << 16);
      const type = (header >> 1) & 3;
      if (type === 3) throw new Error("reserved zstd block type");
      at += 3 + (type === 1 ? 1 : header >>> 3);
      need(at);
      if (header & 1) break;
    }
    if (descriptor & 0x04) at += 4;
    need(at);
    return at;
  }

  function contentSize(at: number, bytes: number): number {
    switch (bytes) {
      case 1:
        return body[at]!;
      case 2:
        return view.getUint16(at, true) + 256;
      case 4:
        return view.getUint32(at, true);
      default:
        return Number(view.getBigUint64(at, true));
    }
  }
}

/** A frame whose header announces more than is wanted. */
export class ZstdTooLarge extends Error {
  override readonly name = "ZstdTooLarge";
}
