// A search's jobs that show traces: what is shown of those that were chosen.
import type { ReadCaches } from "../block/read_caches.ts";
import { reportOrdered, type Summary } from "../search/report.ts";
import { reportParts } from "../search/report_parts.ts";
import type { Store } from "../store/store.ts";
import { garbage } from "../threads/garbage.ts";
import { eachBlock } from "./each_block.ts";
import { rangesOf, slicesOf } from "./row_slices.ts";
import type { Reported, ReportRowsParams, ReportTracesParams } from "./search_job.ts";

/** What a summary takes beside its message. */
const summaryBytes = 300;

/**
 * Shows traces that lie in one block whole.
 *
 * @throws QueryTooLarge as soon as they take more than they may, ParquetError
 */
export async function reportRows(
  store: Store,
  caches: ReadCaches,
  { plan, options, metas, blockRows }: ReportRowsParams,
  signal: AbortSignal,
): Promise<Reported> {
  const reported: Reported = { summaries: [], inspectedBytes: 0 };
  let bytesMax = options.bytesMax;
  await eachBlock(store, caches, metas, signal, async (reader, place, breathe) => {
    for (const { group, rows } of blockRows[place]!) {
      for (const slice of slicesOf(rangesOf(rows), await reader.groupSize(group))) {
        await breathe();
        const batch = caches.takeBatch();
        try {
          await reader.readRowGroup(batch, group, { rows: slice, projection: plan.report });
          for (const summary of reportOrdered(batch, plan, { ...options, bytesMax })) {
            bytesMax -= summary.message.length;
            reported.summaries.push(summary);
          }
        } finally {
          caches.giveBatch(batch);
        }
      }
    }
    reported.inspectedBytes += reader.bytesRead;
  });
  garbage.add(garbageOf(reported.summaries));
  return reported;
}

/** Shows traces that lie in several places. @throws QueryTooLarge */
export function reportTraces(
  caches: ReadCaches,
  { plan, options, window, parts }: ReportTracesParams,
): Reported {
  const batch = caches.takeBatch();
  try {
    const summaries = reportParts(batch, parts, plan, window, options);
    // The parts have come to stay in this thread.
    garbage.add(garbageOf(summaries) + parts.reduce((sum, { length }) => sum + length, 0));
    return { summaries, inspectedBytes: 0 };
  } finally {
    caches.giveBatch(batch);
  }
}

/** What summaries leave behind when they have been packed for their way. */
function garbageOf(summaries: readonly Summary[]): number {
  return summaries.reduce((sum, { message }) => sum + message.length + summaryBytes, 0);
}
