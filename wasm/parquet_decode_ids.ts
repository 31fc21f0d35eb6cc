// Numbers that the Parquet decoder and its callers in TypeScript share.

/** What a leaf's values become. */
export const enum ValueKind {
  String = 0, // byte array -> u32 id in the batch's string dictionary
  Number = 1, // int32 (sign-extended), int64 or double -> 8 bytes
  Bool = 2, // boolean -> u64, 0 or 1
  Id8 = 3, // byte array -> its 8 bytes, padded with leading zeros
  Id16 = 4, // byte array -> its 16 bytes, padded with leading zeros
  Slice = 5, // byte array -> u32 offset in the column Merge5, u32 length
}

/** Physical types, numbered as in parquet.thrift. */
export const enum Physical {
  Boolean = 0,
  Int32 = 1,
  Int64 = 2,
  Double = 5,
  ByteArray = 6,
}

/** Encodings, numbered as in parquet.thrift. */
export const enum Encoding {
  Plain = 0,
  PlainDictionary = 2,
  Rle = 3,
  BitPacked = 4,
  DeltaBinaryPacked = 5,
  DeltaLengthByteArray = 6,
  DeltaByteArray = 7,
  RleDictionary = 8,
}

/** What a call into the decoder found wrong; 0 is success. */
export const enum DecodeFault {
  None = 0,
  Levels = 1, // repetition or definition levels are cut short or too large
  Values = 2, // values are cut short or malformed
  Encoding = 3, // an encoding that this physical type does not have
  Dictionary = 4, // an index that is not in the dictionary, or a page of indexes without a dictionary
  Records = 5, // columns of one row group disagree on how many records there are
  Protobuf = 6, // a link or value that is stored as protobuf is malformed
  Ids = 7, // an id that is too long
}

/** Which rows a value or an attribute belongs to. */
export const enum Owner {
  Resource = 0,
  Scope = 1,
  Span = 2,
  Event = 3,
  Link = 4,
  Trace = 5, // one row of the file; has no attributes
  Stats = 6, // one service of a trace; has no attributes
}

/** What is kept of a leaf's pages. */
export const enum Keep {
  Values = 0,
  Levels = 1, // levels and values
  LevelsAlone = 2, // levels; values are counted, not decoded
  Keys = 3, // nothing: the leaf holds keys, and those that are wanted select attributes
  Selected = 4, // levels and values of selected attributes
}

/** As first row of a page: it follows the page that was decoded before. */
export const enum Row {
  Follows = -1,
}
