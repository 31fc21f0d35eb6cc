// TraceQL on a span batch: what TypeScript calls to evaluate a query, one vector or list of span sets after the other.

export { aggregateSets } from "./query_aggregate";
export { chooseRanks, setWindow, truthOfTraces } from "./query_choose";
export {
  compareColumn,
  compareNumeric,
  compareTyped,
  compareVectors,
  computeVectors,
  negateVector,
} from "./query_compare";
export { compareLinkId, compareSpanId, compareTraceId, matchIds } from "./query_compare_ids";
export {
  chooseOrder,
  distinctOf,
  findString,
  hasAttrs,
  loadChildAttr,
  loadField,
  loadResourceAttr,
  loadScopeAttr,
  loadSpanAttr,
  rankCount,
  truthByTable,
} from "./query_load";
export { compareMembers } from "./query_members";
export { relateSets } from "./query_relate";
export {
  anyOfSpans,
  anyOfTraces,
  coalesceSets,
  countSets,
  exceptSets,
  filterSets,
  filterTraces,
  groupSets,
  groupValues,
  intoSets,
  joinSets,
  keepSets,
  placeCount,
  reserveSets,
  setOrigins,
  setsAddress,
  truthOfSets,
  wholeTraces,
} from "./query_sets";
export {
  andTruth,
  anyOfSpan,
  copyTruth,
  copyValues,
  fillNil,
  fillTruth,
  fillValue,
  firstOfSpan,
  notTruth,
  notValues,
  orTruth,
  reserveVectors,
  truthOfType,
  truthOfValues,
  typeBytes,
  valuesOfTruth,
  vectorAddress,
} from "./query_vectors";
