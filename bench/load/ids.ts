// Ids of generated load: trace and span ids are a pure function of a seed and a counter, so that whoever knows which
// counters were acknowledged can ask for exactly those traces.

/** Mixes the bits of a 32-bit number (the finaliser of MurmurHash3): a bijection, so distinct inputs stay distinct. */
export function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const golden = 0x9e3779b9;

/** Writes the four words of a trace id. Two seeds share no id: the first two words fix both seed and counter. */
export function traceIdWords(words: Uint32Array, at: number, seed: number, trace: number): void {
  words[at] = mix32(trace ^ seed);
  words[at + 1] = mix32(trace + Math.imul(seed + 1, golden));
  words[at + 2] = mix32(words[at]! ^ Math.imul(words[at + 1]!, golden));
  words[at + 3] = mix32(words[at + 2]! + golden);
}

/** The trace id in hex, as the query API takes it. */
export function traceIdHex(seed: number, trace: number): string {
  const words = new Uint32Array(4);
  traceIdWords(words, 0, seed, trace);
  const bytes = new DataView(new ArrayBuffer(16));
  for (let i = 0; i < 4; i++) bytes.setUint32(i * 4, words[i]!, true);
  return Buffer.from(bytes.buffer).toString("hex");
}
