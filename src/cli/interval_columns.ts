// How intervals share the columns of a drawing: so many whole columns for each, or so many whole intervals in a column.

export interface IntervalColumns {
  /** All columns that are used. */
  width: number;
  /** One of these two is 1. */
  columnsEach: number;
  intervalsEach: number;
}

/** @param room columns, at least 1 */
export function intervalColumns(intervals: number, room: number): IntervalColumns {
  const columnsEach = Math.max(1, Math.floor(room / intervals));
  const intervalsEach = Math.max(1, Math.ceil(intervals / room));
  return { width: Math.ceil(intervals / intervalsEach) * columnsEach, columnsEach, intervalsEach };
}

/** What to draw in each column: of intervals that share one the values that there are, joined; NaN if there is none. */
export function valuesByColumn(
  values: Float64Array,
  { width, columnsEach, intervalsEach }: IntervalColumns,
  join: (a: number, b: number) => number,
): Float64Array {
  const drawn = new Float64Array(width);
  for (let column = 0; column < width; column++) {
    const from = Math.floor(column / columnsEach) * intervalsEach;
    const present = values.subarray(from, from + intervalsEach).filter((value) => !Number.isNaN(value));
    drawn[column] = present.length === 0 ? Number.NaN : present.reduce((a, b) => join(a, b));
  }
  return drawn;
}
