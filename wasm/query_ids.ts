// Numbers that the query kernels share with TypeScript; nothing but the lists.

/** Types of values of expressions. Up to Array they are those of attributes (AttrType). */
export enum QueryType {
  Nil = 0, // no value
  String = 1, // value = string id
  Bool = 2, // value = 0 or 1
  Int = 3, // value = i64
  Double = 4, // value = f64 bits
  Array = 5, // value = blob id of an AnyValue whose elements are all strings, ints, doubles or bools
  Duration = 8, // value = i64 ns
  Status = 9, // value = OTLP status code
  Kind = 10, // value = OTLP span kind
  TraceId = 11, // value = trace index
  SpanId = 12, // value = the 8 bytes as they are on the wire
  LinkTraceId = 13, // value = string id of the raw bytes
  LinkSpanId = 14, // value = string id of the raw bytes
}

/** Rows that a vector has one element for each of. */
export enum Table {
  Span = 0,
  Event = 1,
  Link = 2,
}

/** What of a span, event or link loadIntrinsic() reads. */
export enum Field {
  Duration = 0,
  Name = 1,
  Status = 2,
  StatusMessage = 3,
  Kind = 4,
  SpanId = 5,
  ParentId = 6,
  ChildCount = 7,
  TraceDuration = 8,
  RootName = 9,
  RootService = 10,
  TraceId = 11,
  NestedLeft = 12,
  NestedRight = 13,
  NestedParent = 14,
  ScopeName = 15,
  ScopeVersion = 16,
  EventName = 17,
  EventTime = 18,
  LinkTraceId = 19,
  LinkSpanId = 20,
}

export enum Compare {
  Equal = 0,
  NotEqual = 1,
  Less = 2,
  LessEqual = 3,
  Greater = 4,
  GreaterEqual = 5,
}

export enum Arithmetic {
  Add = 0,
  Subtract = 1,
  Multiply = 2,
  Divide = 3,
  Modulo = 4,
  Power = 5,
}

/** What a span of the left side has to be of one of the right side. */
export enum Relation {
  Parent = 0,
  Ancestor = 1,
  Child = 2,
  Descendant = 3,
  Sibling = 4,
}

export enum Aggregate {
  Count = 0,
  Min = 1,
  Max = 2,
  Sum = 3,
  Avg = 4,
}
