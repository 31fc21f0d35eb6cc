// Parquet into the batch: what TypeScript calls to read row groups. It hands in one page after the other, decompressed, then has
// the decoded leaves turned into rows.

export { readInputMessage, valueHigh, valueLow } from "./parquet_decode_any_value";
export { beginLeaves, decodedValueCount, decodedValues, dropLeaf, wantRows } from "./parquet_decode_leaf";
export { decodeDictionary, decodePage, pageValueCount, pageValues, startLeaf } from "./parquet_decode_page";
export {
  addSpanStarts,
  beginAttrs,
  beginRecords,
  countAttrs,
  countNonEmpty,
  endRecords,
  fillChildren,
  fillColumn,
  fillEmptyArrays,
  fillKeys,
  fillLinkMessages,
  fillNonEmpty,
  fillOptional,
  fillSpans,
  fillTraces,
  fillTracesFromInput,
  fillValues,
  layOutAttrs,
  newRows,
  takeJsonRows,
} from "./parquet_decode_records";
export { deferDictionary } from "./parquet_decode_values";
