// Protobuf wire format: bounds-checked reading. A reader keeps its position in a local and takes `after` from here when a number
// is longer than one byte; a malformed byte sets `malformed` and moves to the end, so that every loop ends.

/** Position behind what was read last. */
export let after: usize = 0;
/** Set by the first byte that is not valid protobuf; cleared by begin(). */
export let malformed: bool = false;

export function begin(): void {
  malformed = false;
}

/** Notes that the message is malformed. Returns `end`, for the caller's position. */
export function fail(end: usize): usize {
  malformed = true;
  after = end;
  return end;
}

/** The varint at p; `after` is the position behind it. */
export function varint(p: usize, end: usize): u64 {
  let value: u64 = 0;
  let shift: u64 = 0;
  while (p < end && shift < 70) {
    const byte = load<u8>(p++);
    if (shift == 63 && byte > 1) break;
    value |= (<u64>(byte & 0x7f)) << shift;
    if (byte < 0x80) {
      after = p;
      return value;
    }
    shift += 7;
  }
  fail(end);
  return 0;
}

/** The tag at p: field number and wire type, as they are on the wire. Field number 0 is malformed. */
export function tagAt(p: usize, end: usize): u32 {
  const byte: u32 = load<u8>(p);
  if (byte < 0x80) {
    after = p + 1;
    if (byte < 8) fail(end);
    return byte;
  }
  return longTag(p, end);
}

function longTag(p: usize, end: usize): u32 {
  const value = varint(p, end);
  if (value > 0xffffffff || value < 8) fail(end);
  return <u32>value;
}

/** The length at p of bytes that follow it; `after` is the first of them. Malformed unless all lie before `end`. */
export function lengthAt(p: usize, end: usize): u32 {
  if (p < end) {
    const byte: u32 = load<u8>(p);
    if (byte < 0x80 && <usize>byte <= end - p - 1) {
      after = p + 1;
      return byte;
    }
  }
  return longLength(p, end);
}

function longLength(p: usize, end: usize): u32 {
  const value = varint(p, end);
  if (malformed) return 0;
  if (value > <u64>(end - after)) {
    fail(end);
    return 0;
  }
  return <u32>value;
}

/** Position behind the field of this tag whose content starts at p. Groups are malformed. */
export function skip(tag: u32, p: usize, end: usize): usize {
  switch (tag & 7) {
    case 0:
      varint(p, end);
      return after;
    case 1:
      return end - p >= 8 ? p + 8 : fail(end);
    case 2: {
      const length = lengthAt(p, end);
      return after + length;
    }
    case 5:
      return end - p >= 4 ? p + 4 : fail(end);
    default:
      return fail(end);
  }
}

/** Bytes that a varint takes. */
export function varintSize(value: u64): u32 {
  return <u32>((70 - <u32>clz(value | 1)) / 7);
}

/** Writes a varint at p and returns the position behind it. */
export function putVarint(p: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(p++, <u8>value | 0x80);
    value >>>= 7;
  }
  store<u8>(p, <u8>value);
  return p + 1;
}
