// Values of merged leaves: from as wide as they were decoded to as wide as the encoder takes them.

import { Column } from "./column_ids";
import { reserve } from "./memory";
import { COPY_SLACK, copyBytes } from "./parquet_encode_copy";

/** Makes room for `values` values of `width` bytes where the encoder looks for them. */
export function valueRoom(values: u32, width: u32): void {
  reserve(Column.Encode7, values * width + COPY_SLACK + 64);
}

/** Copies `count` values of `wide` bytes, of which `width` are kept: numbers of 4 bytes and booleans are decoded to 8. Returns the position behind. */
export function copyValues(to: usize, from: usize, count: u32, wide: u32, width: u32): usize {
  if (wide == width) {
    copyBytes(to, from, count * width);
    return to + <usize>(count * width);
  }
  if (width == 4) {
    for (let i: u32 = 0; i < count; i++)
      store<u32>(to + ((<usize>i) << 2), load<u32>(from + ((<usize>i) << 3)));
    return to + ((<usize>count) << 2);
  }
  for (let i: u32 = 0; i < count; i++) store<u8>(to + i, load<u8>(from + ((<usize>i) << 3)));
  return to + count;
}
