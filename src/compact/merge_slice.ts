// The next rows to merge: of every input those below a common trace id, so many that a batch holds their spans.
import type { InputRows, MergeInput } from "./merge_input.ts";

/**
 * Moves the cursors over the next rows. All rows of a trace are in one slice.
 *
 * @param spansMax what the rows may weigh together; a trace that is larger is a slice alone
 * @returns rows by input and row group; none at the end
 */
export async function nextSlice(inputs: readonly MergeInput[], spansMax: number): Promise<InputRows[]> {
  const slice: InputRows[] = [];
  const open = new Map<MergeInput, InputRows>();
  let weight = 0;
  for (;;) {
    const first = firstOf(inputs);
    if (!first) break;
    const holders = inputs.filter((input) => !input.ended && input.compare(first) === 0);
    const added = holders.reduce((sum, input) => sum + input.weight, 0);
    if (weight > 0 && weight + added > spansMax) break;
    weight += added;
    for (const input of holders) {
      let rows = open.get(input);
      if (!rows) {
        rows = { input, group: input.group, start: input.row, end: input.row };
        open.set(input, rows);
        slice.push(rows);
      }
      rows.end = ++input.row;
      if (!input.ended) continue;
      open.delete(input);
      await input.nextGroup();
    }
  }
  return slice;
}

/** The input whose cursor is on the least trace id. */
function firstOf(inputs: readonly MergeInput[]): MergeInput | null {
  let first: MergeInput | null = null;
  for (const input of inputs) {
    if (!input.ended && (first === null || input.compare(first) < 0)) first = input;
  }
  return first;
}
