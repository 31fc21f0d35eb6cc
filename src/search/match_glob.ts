// What of a regular expression is literals with gaps between them, `.*` or `.+`, and alternatives of these: often all of it.
import { anyCharacter } from "./match_class.ts";
import type { Pattern } from "./match_syntax.ts";

/** Literals with a gap between each two: of no byte or more (0), or of one byte or more (1). */
export interface Glob {
  /** At least two. The first and the last may be empty. */
  literals: Uint8Array[];
  /** One less than literals. */
  gaps: (0 | 1)[];
}

export interface Globs {
  literals: Uint8Array[];
  globs: Glob[];
  /** Whether they are the same as the pattern; else they fit texts that it doesn't, but never the other way round. */
  exact: boolean;
}

/** Alternatives that a pattern may come to, */
const alternativesMax = 20_000;
/** and those that come of choices behind one another; */
const productMax = 64;
/** all of them in characters, copies made on the way counted. */
const piecesMax = 400_000;
/** Alternatives with gaps: each is held against each text. */
const globsMax = 8;
/** Bytes of a literal between two gaps: each of them may be looked at for each byte of a text. */
const middleBytesMax = 256;
/** Characters of a class that is taken for alternatives. */
const classCharactersMax = 4;

/** A code point, or one of these. */
type Piece = number;
const gap = -1;
/** Of a character or more. */
const widerGap = -2;
const begin = -3;
const end = -4;

type Alternative = readonly Piece[];

/** @returns null if there are too many */
export function toGlobs(pattern: Pattern): Globs | null {
  const expansion = new Expansion();
  let alternatives: Alternative[];
  try {
    alternatives = expansion.of(pattern);
  } catch (error) {
    if (error instanceof TooMany) return null;
    throw error;
  }
  const all: Globs = { literals: [], globs: [], exact: expansion.exact };
  for (const alternative of alternatives) {
    const pieces = withoutEnds(alternative);
    if (pieces !== null) addAlternative(all, pieces);
    if (all.globs.length > globsMax) return null;
  }
  return all;
}

class TooMany extends Error {}

class Expansion {
  #pieces = 0;
  exact = true;

  of(pattern: Pattern): Alternative[] {
    switch (pattern.kind) {
      case "begin":
        return [[begin]];
      case "end":
        return [[end]];
      case "class":
        return this.#class(pattern.ranges);
      case "sequence":
        return this.#sequence(pattern.of);
      case "choice":
        return this.#choice(pattern.of);
      case "repeat":
        return this.#repeat(pattern);
      case "unknown":
        return this.#anything(gap);
    }
  }

  /** At least what stands here, and more. */
  #anything(piece: typeof gap | typeof widerGap): Alternative[] {
    this.exact = false;
    return [[piece]];
  }

  #class(ranges: readonly number[]): Alternative[] {
    const alternatives: Alternative[] = [];
    for (let i = 0; i < ranges.length; i += 2) {
      if (ranges[i + 1]! - ranges[i]! >= classCharactersMax - alternatives.length) {
        return this.#anything(widerGap);
      }
      for (let point = ranges[i]!; point <= ranges[i + 1]!; point++) {
        // Broken bytes match like U+FFFD, and no text has surrogates.
        if (point === 0xfffd || (point >= 0xd800 && point <= 0xdfff)) return this.#anything(widerGap);
        alternatives.push([point]);
      }
    }
    return alternatives;
  }

  #choice(options: Pattern[]): Alternative[] {
    const alternatives: Alternative[] = [];
    for (const option of options) {
      for (const alternative of this.of(option)) alternatives.push(alternative);
      if (alternatives.length > alternativesMax) throw new TooMany();
    }
    return alternatives;
  }

  #sequence(parts: Pattern[]): Alternative[] {
    let alternatives: Piece[][] = [[]];
    for (const part of parts) {
      const next = this.of(part);
      if (next.length === 1) {
        this.#count(alternatives.length * next[0]!.length);
        for (const alternative of alternatives) {
          for (const piece of next[0]!) alternative.push(piece);
        }
        continue;
      }
      if (alternatives.length > 1 && alternatives.length * next.length > productMax) throw new TooMany();
      const longer: Piece[][] = [];
      for (const alternative of alternatives) {
        for (const more of next) {
          this.#count(alternative.length + more.length);
          longer.push([...alternative, ...more]);
        }
      }
      alternatives = longer;
    }
    return alternatives;
  }

  #repeat({ of, min, max }: Pattern & { kind: "repeat" }): Alternative[] {
    const character = of.kind === "class";
    if (character && isAny(of.ranges) && max === Number.POSITIVE_INFINITY && min <= 1) {
      return [[min === 0 ? gap : widerGap]];
    }
    if (max === 0) return [[]];
    if (max === 1) return min === 1 ? this.of(of) : [[], ...this.of(of)];
    return this.#anything(character && min > 0 ? widerGap : gap);
  }

  #count(pieces: number): void {
    this.#pieces += pieces;
    if (this.#pieces > piecesMax) throw new TooMany();
  }
}

function isAny(ranges: readonly number[]): boolean {
  return ranges.length === 2 && ranges[0] === anyCharacter[0] && ranges[1] === anyCharacter[1];
}

/** What stands before the begin or behind the end of a text must be empty. @returns null if it can't be */
function withoutEnds(alternative: Alternative): Alternative | null {
  const first = alternative.lastIndexOf(begin) + 1;
  const firstEnd = alternative.indexOf(end);
  const last = firstEnd < 0 ? alternative.length : firstEnd;
  const canBeEmpty = (piece: Piece) => piece === gap || piece === begin || piece === end;
  if (!alternative.slice(0, first).every(canBeEmpty)) return null;
  if (!alternative.slice(last).every(canBeEmpty)) return null;
  return alternative.slice(first, last);
}

const encoder = new TextEncoder();

function addAlternative(to: Globs, pieces: Alternative): void {
  const literals: Uint8Array[] = [];
  const gaps: (0 | 1)[] = [];
  let text = "";
  for (const [i, piece] of pieces.entries()) {
    if (piece >= 0) {
      text += String.fromCodePoint(piece);
    } else if (i > 0 && pieces[i - 1]! < 0) {
      const last = gaps.length - 1;
      // Two characters or more.
      if (gaps[last] === 1 && piece === widerGap) to.exact = false;
      if (piece === widerGap) gaps[last] = 1;
    } else {
      literals.push(encoder.encode(text));
      gaps.push(piece === widerGap ? 1 : 0);
      text = "";
    }
  }
  literals.push(encoder.encode(text));
  if (gaps.length === 0) {
    to.literals.push(literals[0]!);
    return;
  }
  for (let i = 1; i < literals.length - 1; i++) {
    if (literals[i]!.length <= middleBytesMax) continue;
    literals[i] = literals[i]!.subarray(0, middleBytesMax);
    to.exact = false;
  }
  to.globs.push({ literals, gaps });
}
