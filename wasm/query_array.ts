// Arrays as the language sees them: lists of values of one scalar type.

import { AttrType } from "./column_ids";
import { BLOBS, entryLength, entryStart } from "./dictionary";
import { after, begin, fail, lengthAt, malformed, varint } from "./protobuf";

/** AnyValue.array_value and ArrayValue.values, both length-delimited. */
const ARRAY_VALUE_TAG: u32 = (5 << 3) | 2;
const VALUES_TAG: u32 = (1 << 3) | 2;

/** Of the array that elementType() saw last: whether it has one element, and what that is: a string's bytes, or a value as attributes have it. */
export let isSingle: bool = false;
export let singleStart: usize = 0;
export let singleLength: u32 = 0;
export let singleValue: u64 = 0;

/** AttrType of the elements of an array, which is the content of a blob; 0 if it has none, or not all are of one scalar type. */
export function elementType(blob: u32): u32 {
  let p: usize = entryStart(BLOBS, blob);
  let end: usize = p + entryLength(BLOBS, blob);
  if (p >= end || <u32>load<u8>(p) != ARRAY_VALUE_TAG) return 0;
  begin();
  const length = lengthAt(p + 1, end);
  end = after + length;
  p = after;
  let type: u32 = 0;
  let count: u32 = 0;
  let first: usize = 0;
  let firstEnd: usize = 0;
  while (p < end && !malformed) {
    if (<u32>load<u8>(p) != VALUES_TAG) return 0;
    const size = lengthAt(p + 1, end);
    p = after;
    const own = size && !malformed ? scalarType(load<u8>(p)) : 0;
    if (!own || (type && own != type)) return 0;
    type = own;
    if (!count++) {
      first = p;
      firstEnd = p + size;
    }
    p += size;
  }
  if (malformed) return 0;
  isSingle = count == 1;
  if (isSingle) readSingle(type, first, firstEnd);
  return malformed ? 0 : type;
}

function readSingle(type: u32, p: usize, end: usize): void {
  if (type == <u32>AttrType.String) {
    singleLength = lengthAt(p + 1, end);
    singleStart = after;
  } else if (type == <u32>AttrType.Double) {
    if (end - p < 9) fail(end);
    else singleValue = load<u64>(p + 1);
  } else {
    singleValue = varint(p + 1, end);
    if (type == <u32>AttrType.Bool) singleValue = <u64>(singleValue != 0);
  }
}

/** By the tag of an AnyValue's field. */
function scalarType(tag: u32): u32 {
  switch (tag) {
    case 0x0a:
      return AttrType.String;
    case 0x10:
      return AttrType.Bool;
    case 0x18:
      return AttrType.Int;
    case 0x21:
      return AttrType.Double;
    default:
      return 0;
  }
}
