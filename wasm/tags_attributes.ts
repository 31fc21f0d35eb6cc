// Keys of the attributes of a kind of owner, and the values of one of them.

import { Column } from "./column_ids";
import { find, STRINGS } from "./dictionary";
import { at } from "./memory";
import { Owner } from "./parquet_decode_ids";
import { noteStrings, noteValue } from "./tags_distinct";
import { attrsFrom, attrsTo, beginAttrsOf, nextAttrs } from "./tags_owners";

/**
 * Notes the keys of the attributes.
 *
 * @param owner an Owner
 * @param spansWanted address of a byte by span, not 0 for those that count; 0: all
 */
export function listTagKeys(owner: u32, spansWanted: usize): void {
  const keys = at(owner == Owner.Span ? Column.SpanAttrKey : Column.AttrKey);
  beginAttrsOf(owner, spansWanted);
  while (nextAttrs()) noteStrings(keys + ((<usize>attrsFrom) << 2), attrsTo - attrsFrom);
}

/** Notes the values of the attributes whose key is the `length` bytes in the column Input. */
export function listTagValues(owner: u32, length: u32, spansWanted: usize): void {
  const key = find(STRINGS, at(Column.Input), length);
  if (key < 0) return;
  const ofSpans = owner == Owner.Span;
  const keys = at(ofSpans ? Column.SpanAttrKey : Column.AttrKey);
  const types = at(ofSpans ? Column.SpanAttrType : Column.AttrType);
  const values = at(ofSpans ? Column.SpanAttrValue : Column.AttrValue);
  const wanted = i32x4.splat(key);
  beginAttrsOf(owner, spansWanted);
  while (nextAttrs()) {
    let row = attrsFrom;
    const end = attrsTo;
    while (row < end) {
      const four = keys + ((<usize>row) << 2);
      if (end - row >= 4 && !v128.any_true(i32x4.eq(v128.load(four), wanted))) {
        row += 4;
        continue;
      }
      if (load<i32>(four) == key) noteValue(load<u8>(types + row), load<u64>(values + ((<usize>row) << 3)));
      row++;
    }
  }
}
