// A hash table of span ids with a small number beside each: for finding repeats among a hundred thousand spans
// without an object for each.

/** Mixed into every hash, so that nobody can choose span ids that all fall into one slot. */
const seed = (Math.random() * 0x100000000) >>> 0;
const slotsMin = 64;

export class SpanIdTable {
  /** Number of different keys. */
  size = 0;
  /** Whether the last `slotOf` inserted its key. */
  inserted = false;
  private mask = 0;
  private used!: Uint8Array;
  private hi!: Uint32Array;
  private lo!: Uint32Array;
  private tag!: Int32Array;
  private values!: Uint32Array;

  constructor(keysExpected = 0) {
    let slots = slotsMin;
    while (slots < keysExpected * 2) slots *= 2;
    this.allocate(slots);
  }

  /** The slot of this key, which is inserted with value 0 if it is new. Good until the next insertion. */
  slotOf(hi: number, lo: number, tag: number): number {
    if ((this.size + 1) * 2 > this.used.length) this.grow();
    const slot = this.probe(hi, lo, tag);
    this.inserted = this.used[slot] === 0;
    if (this.inserted) {
      this.put(slot, hi, lo, tag);
      this.size++;
    }
    return slot;
  }

  /** The slot of this key, or -1. */
  find(hi: number, lo: number, tag: number): number {
    const slot = this.probe(hi, lo, tag);
    return this.used[slot] === 0 ? -1 : slot;
  }

  value(slot: number): number {
    return this.values[slot]!;
  }

  setValue(slot: number, value: number): void {
    this.values[slot] = value;
  }

  private probe(hi: number, lo: number, tag: number): number {
    const mixed = hash32(hash32(hi ^ seed) ^ Math.imul(lo, 0x9e3779b1) ^ Math.imul(tag, 0x85ebca6b));
    for (let slot = mixed & this.mask; ; slot = (slot + 1) & this.mask) {
      if (this.used[slot] === 0) return slot;
      if (this.lo[slot] === lo && this.hi[slot] === hi && this.tag[slot] === tag) return slot;
    }
  }

  private put(slot: number, hi: number, lo: number, tag: number): void {
    this.used[slot] = 1;
    this.hi[slot] = hi;
    this.lo[slot] = lo;
    this.tag[slot] = tag;
  }

  private allocate(slots: number): void {
    this.mask = slots - 1;
    this.used = new Uint8Array(slots);
    this.hi = new Uint32Array(slots);
    this.lo = new Uint32Array(slots);
    this.tag = new Int32Array(slots);
    this.values = new Uint32Array(slots);
  }

  private grow(): void {
    const { used, hi, lo, tag, values } = this;
    this.allocate(used.length * 2);
    for (let from = 0; from < used.length; from++) {
      if (used[from] === 0) continue;
      const slot = this.probe(hi[from]!, lo[from]!, tag[from]!);
      this.put(slot, hi[from]!, lo[from]!, tag[from]!);
      this.values[slot] = values[from]!;
    }
  }
}

function hash32(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
