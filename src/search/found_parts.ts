// What a search found, packed for its way to the front end.
import { pickTraceIds } from "../batch/trace_ids.ts";
import type { FoundParts, Parts } from "../jobs/search_job.ts";
import type { Judged, JudgedTraces } from "./judge.ts";

/**
 * @param ids 16 bytes each
 * @param placesOf places of the ids of some ranks
 */
export function foundParts(
  judged: Judged,
  ids: Uint8Array,
  placesOf: (ranks: Uint32Array) => Uint32Array,
): FoundParts {
  const packed = ({ ranks, starts }: JudgedTraces): Parts => ({
    ids: pickTraceIds(ids, placesOf(ranks)),
    starts,
  });
  return {
    matched: packed(judged.matched),
    undecided: packed(judged.undecided),
    inspectedTraces: judged.inspectedTraces,
    inspectedSpans: judged.inspectedSpans,
    inspectedBytes: 0,
  };
}
