// Times on their way into the core.

const timeMax = 2n ** 64n - 1n;

/** The low and the high word. Below 0 and beyond 64 bits there are no times. */
export function wordsOf64(nanos: bigint): [number, number] {
  const value = nanos < 0n ? 0n : nanos > timeMax ? timeMax : nanos;
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
}
