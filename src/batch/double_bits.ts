// Doubles by the 8 bytes that columns hold of them.
const bitsOf = new BigInt64Array(1);
const doubles = new Float64Array(bitsOf.buffer);

/** @param bits signed or unsigned */
export function doubleOf(bits: bigint): number {
  bitsOf[0] = bits;
  return doubles[0]!;
}
