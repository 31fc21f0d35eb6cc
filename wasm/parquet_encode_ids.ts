// Numbers that the Parquet encoder and its callers in TypeScript share.

/** A level of the trace tree: all leaves of one structure have the same slots and repetition levels. */
export const enum Structure {
  Trace = 0,
  Stats = 1, // service stats of a trace
  Resource = 2,
  Scope = 3,
  Span = 4,
  Child = 5, // attributes, events or links of one of the above
  Grandchild = 6, // attributes of events or links
  Count = 7,
}

/** Whose attributes a structure holds: decides which columns they are in and which of them have columns of their own. */
export const enum Owner {
  Resource = 0,
  Scope = 1,
  Span = 2,
  Event = 3,
  Link = 4,
}

/** Kind of a slot. Below Value: there is nothing here, and the number is the definition level. */
export const enum SlotKind {
  Value = 8, // an element that is no attribute; all kinds from here on are elements
  String = 8,
  Bool = 9,
  Int = 10,
  Double = 11,
  Array = 12, // elements of one type, which the array's entry knows
  EmptyArray = 13,
  Unsupported = 14,
}

/** Where the values of a leaf come from. */
export const enum Source {
  U32 = 0, // a u32 column by entity
  U64 = 1, // a u64 column by entity
  I32AsI64 = 2, // an i32 column by entity, widened
  TraceId = 3,
  TraceDuration = 4,
  EventTime = 5, // since the start of the span
  AttrKey = 6,
  AttrIsArray = 7,
  AttrString = 8,
  AttrInt = 9,
  AttrDouble = 10,
  AttrBool = 11,
  AttrUnsupported = 12,
  OwnStrings = 13, // a static or dedicated column of the owner's attributes, by its number; 0 has no values
  OwnInts = 14,
  ResourceService = 15, // likewise of resources, and an absent value is the empty string
  ScopeSpans = 16, // spans of the scope
  StartRounded = 17, // the start of the span in whole periods of so many seconds
  AttrText = 18, // the text of a value of this AttrType, else the empty string
}

/** How a page's values are written. */
export const enum Encoder {
  Plain32 = 0,
  Plain64 = 1,
  Bool = 2,
  Delta32 = 3,
  Delta64 = 4,
  Strings = 5, // DELTA_LENGTH_BYTE_ARRAY of dictionary strings
  Dictionary = 6, // indexes into the chunk's dictionary
  Id8 = 7, // DELTA_LENGTH_BYTE_ARRAY of u64 ids; 0 is the empty string
  Id16 = 8, // likewise of 16-byte ids
  Id16Text = 9, // likewise of their hex digits without leading zeros
}

/** How values compare for the bounds of a page. */
export const enum Order {
  None = 0,
  Signed = 1,
  Unsigned = 2,
  Double = 3,
  Bytes = 4,
}

/** What encodePage() leaves behind: u32 numbers from pageResult() on. */
export const enum PageResult {
  Bytes = 0, // length of the body in Output
  Slots = 1,
  Values = 2,
  Rows = 3,
  HasBounds = 4,
  MinLength = 5, // byte strings: bytes of the bound, 16 at most
  MaxLength = 6,
  MaxIsCut = 7, // whether strings with the upper bound as beginning go on
  Min = 8, // 16 bytes; numbers take 8
  Max = 12,
  Count = 16,
}
