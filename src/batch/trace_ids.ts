// Lists of trace ids, as columns and messages have them: 16 bytes each, one behind the other.

export const traceIdBytes = 16;
const idWords = 4;

export function traceIdAt(ids: Uint8Array, place: number): Uint8Array {
  return ids.subarray(place * traceIdBytes, (place + 1) * traceIdBytes);
}

/** The list as words of 32 bits, 4 for each id. */
export function traceIdWords(ids: Uint8Array): Uint32Array {
  const aligned = ids.byteOffset % 4 === 0 ? ids : ids.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}

/** The ids that stand at some places. */
export function pickTraceIds(ids: Uint8Array, places: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const words = traceIdWords(ids);
  const picked = new Uint32Array(places.length * idWords);
  for (let i = 0, at = 0; i < places.length; i++, at += idWords) {
    const from = places[i]! * idWords;
    picked[at] = words[from]!;
    picked[at + 1] = words[from + 1]!;
    picked[at + 2] = words[from + 2]!;
    picked[at + 3] = words[from + 3]!;
  }
  return new Uint8Array(picked.buffer);
}

/** Place of an id in a list that ascends, or -1. */
export function placeOfTraceId(ids: Uint8Array, id: Uint8Array): number {
  let low = 0;
  let high = ids.length / traceIdBytes - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = Buffer.compare(traceIdAt(ids, middle), id);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
