// The services of a trace by name, as vParquet5 lists them.

import { Column } from "./column_ids";
import { entryLength, entryStart, STRINGS } from "./dictionary";
import { at } from "./memory";
import { compareBytes } from "./match_find";

/** Sorts rows of Stats* by the names of their services: a heap sort, as a trace may have any number of them. */
export function sortStats(rows: usize, count: u32): void {
  for (let root = count >>> 1; root-- > 0; ) sink(rows, root, count);
  for (let end = count; end-- > 1; ) {
    const largest = load<u32>(rows);
    store<u32>(rows, load<u32>(rows + ((<usize>end) << 2)));
    store<u32>(rows + ((<usize>end) << 2), largest);
    sink(rows, 0, end);
  }
}

/** Lets the row at `root` sink below those that are larger, within a heap of `count`. */
function sink(rows: usize, root: u32, count: u32): void {
  const row = load<u32>(rows + ((<usize>root) << 2));
  while (true) {
    let child: u32 = 2 * root + 1;
    if (child >= count) break;
    let larger = rows + ((<usize>child) << 2);
    if (child + 1 < count && before(load<u32>(larger), load<u32>(larger, 4))) {
      child++;
      larger += 4;
    }
    if (!before(row, load<u32>(larger))) break;
    store<u32>(rows + ((<usize>root) << 2), load<u32>(larger));
    root = child;
  }
  store<u32>(rows + ((<usize>root) << 2), row);
}

function before(a: u32, b: u32): bool {
  const names = at(Column.StatsService);
  const x = load<u32>(names + ((<usize>a) << 2));
  const y = load<u32>(names + ((<usize>b) << 2));
  return (
    compareBytes(
      entryStart(STRINGS, x),
      entryLength(STRINGS, x),
      entryStart(STRINGS, y),
      entryLength(STRINGS, y),
    ) < 0
  );
}
