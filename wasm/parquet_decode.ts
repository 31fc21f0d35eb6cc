// Parquet into the batch: what TypeScript calls to read row groups. It hands in one page after the other, decompressed, then has
// the decoded leaves turned into rows.

export { readInputMessage, valueHigh, valueLow } from "./parquet_decode_any_value";
export {
  beginAttrs,
  countAttrs,
  countNonEmpty,
  fillEmptyArrays,
  fillKeys,
  fillNonEmpty,
  fillOptional,
  fillValues,
  layOutAttrs,
  takeJsonRows,
  unvaluedAttrs,
} from "./parquet_decode_attrs";
export { beginLeaves, decodedValueCount, decodedValues, dropLeaf, wantRows } from "./parquet_decode_leaf";
export { decodeDictionary, decodePage, pageValueCount, pageValues, startLeaf } from "./parquet_decode_page";
export { rowsOfIndex } from "./parquet_decode_probe";
export { beginRecords, endRecords, newRows } from "./parquet_decode_rows";
export { beginSelect, endKeys, fillSelectedKeys, selectedAttrs, wantKey } from "./parquet_decode_select";
export {
  addSpanStarts,
  fillChildren,
  fillColumn,
  fillLinkMessages,
  fillOrdered,
  fillSpans,
  fillStats,
  fillTraces,
  fillTracesFromInput,
  fillUnnamedTraces,
} from "./parquet_decode_spans";
export { deferDictionary, lendDictionary } from "./parquet_decode_values";
