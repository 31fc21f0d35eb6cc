// What a search found, packed for its way to the front end.
import type { FoundParts, Parts } from "../jobs/search_job.ts";
import type { Judged, JudgedTraces } from "./judge.ts";

const idWords = 4;

/**
 * @param ids 16 bytes each; their bytes begin at a multiple of 4
 * @param placesOf places of the ids of some ranks
 */
export function foundParts(
  judged: Judged,
  ids: Uint8Array,
  placesOf: (ranks: Uint32Array) => Uint32Array,
): FoundParts {
  const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.byteLength / 4);
  const packed = ({ ranks, starts }: JudgedTraces): Parts => ({ ids: pick(words, placesOf(ranks)), starts });
  return {
    matched: packed(judged.matched),
    undecided: packed(judged.undecided),
    inspectedTraces: judged.inspectedTraces,
    inspectedSpans: judged.inspectedSpans,
    inspectedBytes: 0,
  };
}

function pick(words: Uint32Array, places: Uint32Array): Uint8Array<ArrayBuffer> {
  const to = new Uint32Array(places.length * idWords);
  for (let i = 0, at = 0; i < places.length; i++, at += idWords) {
    const from = places[i]! * idWords;
    to[at] = words[from]!;
    to[at + 1] = words[from + 1]!;
    to[at + 2] = words[from + 2]!;
    to[at + 3] = words[from + 3]!;
  }
  return new Uint8Array(to.buffer);
}
