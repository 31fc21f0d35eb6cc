// Time series from spans: what TypeScript calls to count the spans of a batch by interval and group, and to add up what batches counted.

export {
  beginCells,
  cellCount,
  foldSpans,
  leftOutCells,
} from "./series_cells";
export { compareSpans, setSelectionWindow } from "./series_compare";
export { pickExemplars } from "./series_exemplars";
export {
  groupBy,
  groupByNothing,
  groupCount,
  groupOfSpan,
  beginGroups,
  writeGroupKeys,
} from "./series_groups";
export { mergeCells, mergeComparedGroups, mergeGroups } from "./series_merge";
export {
  dropRepeatedSpans,
  dropTraces,
  selectSets,
  selectSpans,
  setGrid,
} from "./series_select";
