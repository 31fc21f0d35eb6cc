// A set of whole numbers kept as ranges: which traces were acknowledged, however out of order the answers came.

export class Ranges {
  private list: { first: number; count: number }[] = [];
  private sorted = true;

  add(first: number, count: number): void {
    const last = this.list[this.list.length - 1];
    if (last !== undefined && this.sorted && last.first + last.count === first) {
      last.count += count;
      return;
    }
    this.list.push({ first, count });
    this.sorted = this.list.length === 1;
  }

  /** The ranges in order, neighbours joined. */
  ranges(): { first: number; count: number }[] {
    if (this.sorted) return this.list;
    this.list.sort((a, b) => a.first - b.first);
    const joined: { first: number; count: number }[] = [];
    for (const range of this.list) {
      const last = joined[joined.length - 1];
      if (last !== undefined && last.first + last.count === range.first) last.count += range.count;
      else joined.push({ ...range });
    }
    this.list = joined;
    this.sorted = joined.length <= 1;
    return joined;
  }

  count(): number {
    return this.list.reduce((sum, range) => sum + range.count, 0);
  }

  *[Symbol.iterator](): Generator<number> {
    for (const { first, count } of this.ranges()) for (let i = 0; i < count; i++) yield first + i;
  }

  /** Pairs of little-endian u32: first, count. */
  encode(): Uint8Array {
    return new Uint8Array(Uint32Array.from(this.ranges().flatMap((r) => [r.first, r.count])).buffer);
  }

  static decode(bytes: Uint8Array): Ranges {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ranges = new Ranges();
    for (let at = 0; at < bytes.length; at += 8)
      ranges.add(view.getUint32(at, true), view.getUint32(at + 4, true));
    return ranges;
  }
}
