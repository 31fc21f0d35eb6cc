// Numbers that the metrics kernels share with TypeScript; nothing but the lists.

/** What is kept of the spans of a cell. */
export enum Fold {
  Count = 0, // how many there are
  Min = 1,
  Max = 2,
  Sum = 3, // and of how many values
  Buckets = 4, // how many there are by the power of two that their value is at most
}

/** Whose attribute the first part of a key of compareSpans() names. */
export enum Compared {
  Intrinsic = 0,
  Span = 1,
  Resource = 2,
  Scope = 3,
}

/** In place of a type in the key of the group of all values of an attribute that have none of their own. */
export const otherValues = 255;

/** Bits of a slot that tell the bucket: the exponent of a power of two, or whose spans a comparison counts. */
export const bucketBits = 6;
