// Spans into Parquet: what TypeScript calls to write a block from an ordered batch. The caller keeps this order: beginEncode(), keys
// and texts; then per row group beginRowGroup() and, leaf by leaf in file order, beginLeaf(), gather(), the dictionary, and the pages.

import { Column } from "./column_ids";
import { intern, STRINGS } from "./dictionary";
import { at } from "./memory";
import { beginDictionaries } from "./parquet_encode_dictionary";
import { beginKeys } from "./parquet_encode_keys";

export { blobWithoutText, resolveBlobs, setBlobText } from "./parquet_encode_arrays";
export { pageResult } from "./parquet_encode_bounds";
export {
  beginDictionary,
  dropDictionary,
  endDictionary,
  indexValues,
  writeDictionary,
} from "./parquet_encode_dictionary";
export { addKeyColumn } from "./parquet_encode_keys";
export {
  encodePage,
  leafDefinition,
  leafSlotCount,
  leafStringBytes,
  leafValueCount,
  pageEnd,
} from "./parquet_encode_page";
export { internEventValues, internLinks } from "./parquet_encode_messages";
export { distinctSpans } from "./parquet_encode_distinct";
export { rowGroupEnd } from "./parquet_encode_extent";
export { mergeEqualResources } from "./parquet_encode_merge";
export {
  beginAttributes,
  beginEvents,
  beginRowGroup,
  expand,
  levelsOf,
  structureSlots,
} from "./parquet_encode_structure";
export { beginLeaf, gather, leafIsSlices } from "./parquet_encode_values";

/** Id of the string of `length` bytes in Input, which is added if it is new. */
export function internInput(length: u32): u32 {
  return intern(STRINGS, at(Column.Input), length);
}

/** Begins a block. Every string of the batch, and every text for a blob, is interned by now. */
export function beginEncode(): void {
  beginKeys();
  beginDictionaries();
}
