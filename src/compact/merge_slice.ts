// The next rows to merge: of every input those below a common trace id, so many that memory holds them. A row whose trace lies nowhere else
// is copied; the others are combined.
import type { RowRange } from "../block/read_plan.ts";
import { blaming } from "./merge_error.ts";
import type { InputRows, MergeInput } from "./merge_input.ts";

/** Row groups that rows are copied from at once, as in wasm/merge.ts, beside what is combined. */
const runsMax = 31;
/** In a pick's run: its rows are left out, since they are combined. */
export const leftOut = 0x80000000;

/** Rows of a row group, in several ranges. */
export interface CombinedRows {
  input: MergeInput;
  group: number;
  rows: RowRange[];
}

export interface Slice {
  /** Rows to copy, but for those that the picks leave out: runs 1, 2, … of the picks. */
  runs: InputRows[];
  /** Run and number of rows in turns, in the order of the output. Run 0 is the combined traces, one row each. */
  picks: number[];
  combined: CombinedRows[];
  combinedTraces: number;
}

interface Current {
  /** Number of the run; 0: none yet. */
  run: number;
  combined: CombinedRows | null;
}

/**
 * Moves the cursors over the next rows. All rows of a trace are in one slice.
 *
 * @param spansMax what the rows may weigh together; a trace that is larger is a slice alone
 * @returns no picks at the end
 */
export async function nextSlice(inputs: readonly MergeInput[], spansMax: number): Promise<Slice> {
  const slice: Slice = { runs: [], picks: [], combined: [], combinedTraces: 0 };
  const current = new Map<MergeInput, Current>(inputs.map((input) => [input, { run: 0, combined: null }]));
  let weight = 0;

  const next = async (input: MergeInput): Promise<void> => {
    input.row++;
    if (!input.ended) return;
    current.set(input, { run: 0, combined: null });
    await blaming(input.meta, () => input.nextGroup());
  };

  for (;;) {
    const found = leastOf(inputs);
    if (!found) break;
    const { first, holders } = found;
    if (weight > 0 && weight + found.weight > spansMax) break;
    const at = current.get(first)!;
    if (holders === 1 && first.copies && !first.repeats) {
      if (at.run === 0) {
        if (slice.runs.length === runsMax) break;
        slice.runs.push({ input: first, group: first.group, start: first.row, end: first.row });
        at.run = slice.runs.length;
      }
      slice.runs[at.run - 1]!.end++;
      pick(slice, at.run);
      await next(first);
    } else {
      const id = first.id;
      for (const input of inputs) {
        while (!input.ended && input.isAt(id)) {
          combine(slice, current.get(input)!, input);
          await next(input);
        }
      }
      pick(slice, 0);
      slice.combinedTraces++;
    }
    weight += found.weight;
  }
  return slice;
}

function pick({ picks }: Slice, run: number): void {
  if (picks.at(-2) === run) picks[picks.length - 1]!++;
  else picks.push(run, 1);
}

/** Has the row under the cursor combined. */
function combine(slice: Slice, at: Current, input: MergeInput): void {
  const { group, row } = input;
  if (at.run > 0) {
    slice.runs[at.run - 1]!.end++;
    pick(slice, at.run + leftOut);
  }
  if (!at.combined) {
    at.combined = { input, group, rows: [] };
    slice.combined.push(at.combined);
  }
  const last = at.combined.rows.at(-1);
  if (last?.end === row) last.end++;
  else at.combined.rows.push({ start: row, end: row + 1 });
}

/** The input whose cursor is on the least trace id, how many are on it, and what their rows weigh. */
function leastOf(
  inputs: readonly MergeInput[],
): { first: MergeInput; holders: number; weight: number } | null {
  let first: MergeInput | null = null;
  let holders = 0;
  let weight = 0;
  for (const input of inputs) {
    if (input.ended) continue;
    const order = first === null ? -1 : input.compare(first);
    if (order > 0) continue;
    if (order < 0) {
      first = input;
      holders = 0;
      weight = 0;
    }
    holders++;
    weight += input.weight;
  }
  return first && { first, holders, weight };
}
