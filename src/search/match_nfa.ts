// A regular expression as a machine over the bytes of UTF-8, which may be in many states at once.
import { hasAllBeyondAscii, type Ranges } from "./match_class.ts";
import type { Pattern } from "./match_syntax.ts";

/** States of a machine. */
const statesMax = 20_000;

export enum Step {
  /** A byte from `low` to `high` leads to `next`. */
  Byte,
  /** To `next` and to `other`, without a byte. */
  Split,
  /** To `next` where the text begins, */
  Begin,
  /** or ends. */
  End,
  Match,
}

export interface Nfa {
  steps: Step[];
  low: number[];
  high: number[];
  next: number[];
  other: number[];
  start: number;
}

/** @returns null if the pattern has unknown parts or becomes too large */
export function toNfa(pattern: Pattern): Nfa | null {
  const builder = new Builder();
  try {
    const start = builder.add(pattern, builder.state(Step.Match, 0));
    return { ...builder.nfa, start };
  } catch (error) {
    if (error instanceof Impossible) return null;
    throw error;
  }
}

class Impossible extends Error {}

/** Built from the end: each part knows what follows it. */
class Builder {
  readonly nfa: Omit<Nfa, "start"> = { steps: [], low: [], high: [], next: [], other: [] };

  state(step: Step, next: number, low = 0, high = 0): number {
    const { steps } = this.nfa;
    if (steps.length >= statesMax) throw new Impossible();
    this.nfa.low.push(low);
    this.nfa.high.push(high);
    this.nfa.next.push(next);
    this.nfa.other.push(next);
    return steps.push(step) - 1;
  }

  /** @returns where the part begins */
  add(pattern: Pattern, next: number): number {
    switch (pattern.kind) {
      case "class":
        return this.#class(pattern.ranges, next);
      case "sequence":
        return pattern.of.reduceRight((behind, part) => this.add(part, behind), next);
      case "choice":
        return this.#any(pattern.of.map((option) => this.add(option, next)));
      case "repeat":
        return this.#repeat(pattern, next);
      case "begin":
        return this.state(Step.Begin, next);
      case "end":
        return this.state(Step.End, next);
      case "unknown":
        throw new Impossible();
    }
  }

  #split(one: number, other: number): number {
    const split = this.state(Step.Split, one);
    this.nfa.other[split] = other;
    return split;
  }

  #any(starts: number[]): number {
    if (starts.length === 0) return this.state(Step.Byte, 0, 1, 0);
    return starts.reduceRight((others, start) => this.#split(start, others));
  }

  #repeat({ of, min, max }: Pattern & { kind: "repeat" }, next: number): number {
    let start = next;
    if (max === Number.POSITIVE_INFINITY) {
      start = this.state(Step.Split, next);
      this.nfa.other[start] =
        of.kind === "class" && hasAllBeyondAscii(of.ranges)
          ? this.#bytes(of.ranges, start)
          : this.add(of, start);
    } else {
      for (let i = min; i < max; i++) start = this.#split(this.add(of, start), next);
    }
    for (let i = 0; i < min; i++) start = this.add(of, start);
    return start;
  }

  /**
   * Of a class with everything beyond ASCII, any number of which follow one another, the bytes will do: whatever comes next begins
   * with a first byte, so it can't begin within a character.
   */
  #bytes(ranges: Ranges, next: number): number {
    const starts = [this.state(Step.Byte, next, 0x80, 0xff)];
    for (let i = 0; i < ranges.length && ranges[i]! < 0x80; i += 2) {
      starts.push(this.state(Step.Byte, next, ranges[i], Math.min(ranges[i + 1]!, 0x7f)));
    }
    return this.#any(starts);
  }

  #class(ranges: Ranges, next: number): number {
    const starts: number[] = [];
    for (let i = 0; i < ranges.length; i += 2) {
      const low = ranges[i]!;
      const high = ranges[i + 1]!;
      if (low < 0x80) starts.push(this.state(Step.Byte, next, low, Math.min(high, 0x7f)));
      if (high < 0x80) continue;
      if (low <= 0x80 && high === 0x10ffff) starts.push(...this.#beyondAscii(next));
      else
        for (const sequence of byteSequences(Math.max(low, 0x80), high))
          starts.push(this.#chain(sequence, next));
    }
    return this.#any(starts);
  }

  /** All characters of more than one byte, in text that is known to be UTF-8. */
  #beyondAscii(next: number): number[] {
    const last = this.state(Step.Byte, next, 0x80, 0xbf);
    const third = this.state(Step.Byte, last, 0x80, 0xbf);
    const second = this.state(Step.Byte, third, 0x80, 0xbf);
    return [
      this.state(Step.Byte, last, 0xc2, 0xdf),
      this.state(Step.Byte, third, 0xe0, 0xef),
      this.state(Step.Byte, second, 0xf0, 0xf4),
    ];
  }

  #chain(sequence: [number, number][], next: number): number {
    return sequence.reduceRight((behind, [low, high]) => this.state(Step.Byte, behind, low, high), next);
  }
}

/** First and last code points of two, three and four bytes. */
const lengths = [
  [0x80, 0x7ff],
  [0x800, 0xd7ff],
  [0xe000, 0xffff],
  [0x10000, 0x10ffff],
] as const;

/** A range of code points as sequences of ranges of bytes, each of which stands for all its combinations. */
function* byteSequences(low: number, high: number): Generator<[number, number][]> {
  for (const [first, last] of lengths) {
    if (low <= last && high >= first) yield* alignedSequences(Math.max(low, first), Math.min(high, last));
  }
}

/** The same of code points of one length: cut where a byte but the last would not run through all its values. */
function* alignedSequences(low: number, high: number): Generator<[number, number][]> {
  const continuations = low < 0x800 ? 1 : low < 0x10000 ? 2 : 3;
  for (let i = 1; i <= continuations; i++) {
    const mask = (1 << (6 * i)) - 1;
    if ((low & ~mask) === (high & ~mask)) continue;
    if ((low & mask) !== 0) {
      yield* alignedSequences(low, low | mask);
      yield* alignedSequences((low | mask) + 1, high);
      return;
    }
    if ((high & mask) !== mask) {
      yield* alignedSequences(low, (high & ~mask) - 1);
      yield* alignedSequences(high & ~mask, high);
      return;
    }
  }
  const from = encode(low, continuations);
  const to = encode(high, continuations);
  yield from.map((byte, i) => [byte, to[i]!]);
}

function encode(point: number, continuations: number): number[] {
  const bytes = [(point >> (6 * continuations)) | [0, 0xc0, 0xe0, 0xf0][continuations]!];
  for (let i = continuations - 1; i >= 0; i--) bytes.push(((point >> (6 * i)) & 0x3f) | 0x80);
  return bytes;
}
