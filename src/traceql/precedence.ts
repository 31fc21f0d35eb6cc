// How strongly operators bind, from the weakest. All associate to the left but `^`.

export const binding = {
  /** `&&` and `||` are one level. */
  logical: 2,
  /** Comparisons and, between span sets, the structural operators. */
  comparison: 3,
  /** Also the unary minus. */
  sum: 4,
  not: 5,
  product: 6,
  power: 7,
} as const;
