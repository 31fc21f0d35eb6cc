// The tree of a regular expression, as far as the fast ways of matching know it. Go's syntax, with (?s) on.
import {
  anyCharacter,
  complement,
  foldCase,
  perlClasses,
  posixClasses,
  type Ranges,
  union,
} from "./match_class.ts";

export type Pattern =
  /** One character. */
  | { kind: "class"; ranges: Ranges }
  | { kind: "sequence"; of: Pattern[] }
  | { kind: "choice"; of: Pattern[] }
  /** `max` is Infinity for as many as there are. Greedy or not is the same where only the whole text counts. */
  | { kind: "repeat"; of: Pattern; min: number; max: number }
  /** Begin and end of the text. */
  | { kind: "begin" }
  | { kind: "end" }
  /** Something that a whole engine has to tell. It may fit any text, the empty one too. */
  | { kind: "unknown" };

/** Groups within groups; valid patterns have fewer. */
const depthMax = 300;

interface Flags {
  fold: boolean;
  dotAll: boolean;
  multiLine: boolean;
}

const repetition = /(?:([*+?])|\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\})\??/y;
const groupStart = /\(\?P?<\w+>|\(\?([imsU]*)(?:-([imsU]+))?([:)])|\((?!\?)/y;
const octal = /[0-7]{1,3}/y;
const hex = /x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y;
const property = /[pP](?:\{[^}]*\}|[^{])/uy;
const controlEscapes: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

const unknown: Pattern = { kind: "unknown" };
const newline = 0x0a;

/** @param pattern valid, see regexProblem(); else it may come out as anything */
export function parsePattern(pattern: string): Pattern {
  const parser = new Parser(pattern);
  try {
    return parser.parse();
  } catch (error) {
    if (error instanceof NotUnderstood) return unknown;
    throw error;
  }
}

class NotUnderstood extends Error {}

class Parser {
  readonly #pattern: string;
  #at = 0;
  #depth = 0;
  /** Where the last `:]` is: behind it, nobody has to look for one. */
  readonly #lastPosixEnd: number;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#lastPosixEnd = pattern.lastIndexOf(":]");
  }

  parse(): Pattern {
    const tree = this.#choice({ fold: false, dotAll: true, multiLine: false });
    if (this.#at < this.#pattern.length) throw new NotUnderstood();
    return tree;
  }

  /** Up to the end of the group. Flags set in it are its own. */
  #choice(outer: Flags): Pattern {
    if (++this.#depth > depthMax) throw new NotUnderstood();
    const flags = { ...outer };
    const alternatives: Pattern[] = [];
    let items: Pattern[] = [];
    for (;;) {
      const character = this.#pattern[this.#at];
      if (character === undefined || character === ")") break;
      if (character === "|") {
        this.#at++;
        alternatives.push(oneOr("sequence", items));
        items = [];
      } else {
        this.#item(character, flags, items);
      }
    }
    alternatives.push(oneOr("sequence", items));
    this.#depth--;
    return oneOr("choice", alternatives);
  }

  #item(character: string, flags: Flags, items: Pattern[]): void {
    if (this.#repeat(items)) return;
    switch (character) {
      case "(":
        this.#group(flags, items);
        return;
      case "[":
        items.push(this.#class(flags));
        return;
      case ".":
        this.#at++;
        items.push({ kind: "class", ranges: flags.dotAll ? anyCharacter : complement([newline, newline]) });
        return;
      case "^":
      case "$":
        this.#at++;
        items.push(flags.multiLine ? unknown : { kind: character === "^" ? "begin" : "end" });
        return;
      case "\\":
        this.#backslash(flags, items);
        return;
      default:
        items.push(oneCharacter(this.#next(), flags));
    }
  }

  #repeat(items: Pattern[]): boolean {
    const match = this.#match(repetition);
    if (match === null) return false;
    const of = items.pop();
    if (of === undefined) throw new NotUnderstood();
    const [, operator, low, comma, high] = match;
    const min = low === undefined ? (operator === "+" ? 1 : 0) : Number(low);
    let max = operator === "?" ? 1 : Number.POSITIVE_INFINITY;
    if (low !== undefined && comma === undefined) max = min;
    else if (high !== undefined) max = Number(high);
    items.push({ kind: "repeat", of, min, max });
    return true;
  }

  #group(flags: Flags, items: Pattern[]): void {
    const match = this.#match(groupStart);
    if (match === null) throw new NotUnderstood();
    const [, on, off, end] = match;
    const inside = end === ")" ? flags : { ...flags };
    setFlags(inside, on ?? "", true);
    setFlags(inside, off ?? "", false);
    if (end === ")") return;
    items.push(this.#choice(inside));
    if (this.#pattern[this.#at++] !== ")") throw new NotUnderstood();
  }

  #backslash(flags: Flags, items: Pattern[]): void {
    const character = this.#pattern[this.#at + 1] ?? "";
    if (character === "Q") {
      this.#quotation(flags, items);
      return;
    }
    const class_ = this.#namedClass(flags);
    if (class_ !== null) {
      items.push(class_ === "unknown" ? unknown : { kind: "class", ranges: class_ });
      return;
    }
    if (!"AzbB".includes(character) || character === "") {
      this.#at++;
      items.push(oneCharacter(this.#escape(), flags));
      return;
    }
    this.#at += 2;
    items.push(character === "A" ? { kind: "begin" } : character === "z" ? { kind: "end" } : unknown);
  }

  /** `\Q…\E` */
  #quotation(flags: Flags, items: Pattern[]): void {
    this.#at += 2;
    const close = this.#pattern.indexOf("\\E", this.#at);
    const end = close < 0 ? this.#pattern.length : close;
    while (this.#at < end) items.push(oneCharacter(this.#next(), flags));
    if (close >= 0) this.#at = close + 2;
  }

  /** `\d` or `\pL`, inside a class or outside, if one is here. */
  #namedClass(flags: Flags): Ranges | "unknown" | null {
    const letter = this.#pattern[this.#at + 1] ?? "";
    const perl = perlClasses[letter.toLowerCase()];
    if (perl !== undefined) {
      this.#at += 2;
      const ranges = folded(perl, flags);
      return ranges === null ? "unknown" : letter >= "a" ? ranges : complement(ranges);
    }
    if (letter !== "p" && letter !== "P") return null;
    this.#at++;
    if (this.#match(property) === null) throw new NotUnderstood();
    return "unknown";
  }

  /** A character behind a backslash. */
  #escape(): number {
    const character = this.#pattern[this.#at] ?? "";
    const code = this.#match(octal);
    if (code !== null) return Number.parseInt(code[0], 8);
    const digits = this.#match(hex);
    if (digits !== null) return Number.parseInt(digits[1] ?? digits[2]!, 16);
    if (character === "" || /[0-9A-Za-z]/.test(character)) {
      const control = controlEscapes[character];
      if (control === undefined) throw new NotUnderstood();
      this.#at++;
      return control;
    }
    return this.#next();
  }

  /** `[…]` */
  #class(flags: Flags): Pattern {
    const pattern = this.#pattern;
    this.#at++;
    const negated = pattern[this.#at] === "^";
    if (negated) this.#at++;
    const pairs: number[] = [];
    let known = true;
    for (let first = true; first || pattern[this.#at] !== "]"; first = false) {
      if (this.#at >= pattern.length) throw new NotUnderstood();
      const named = this.#classGroup(flags);
      const ranges = named ?? folded(this.#classRange(), flags);
      if (ranges === null || ranges === "unknown") known = false;
      else pairs.push(...ranges);
    }
    this.#at++;
    if (!known) return unknown;
    const ranges = union(pairs);
    return { kind: "class", ranges: negated ? complement(ranges) : ranges };
  }

  /** `[:alpha:]`, `\d` or `\pL` inside a class, if one is here. */
  #classGroup(flags: Flags): Ranges | "unknown" | null {
    const pattern = this.#pattern;
    if (pattern[this.#at] === "\\") return this.#namedClass(flags);
    if (!pattern.startsWith("[:", this.#at) || this.#at + 2 > this.#lastPosixEnd) return null;
    const end = pattern.indexOf(":]", this.#at + 2);
    const negated = pattern[this.#at + 2] === "^";
    const posix = posixClasses[pattern.slice(this.#at + (negated ? 3 : 2), end)];
    if (posix === undefined) throw new NotUnderstood();
    this.#at = end + 2;
    const ranges = folded(posix, flags);
    return ranges === null ? "unknown" : negated ? complement(ranges) : ranges;
  }

  #classRange(): Ranges {
    const low = this.#classCharacter();
    const pattern = this.#pattern;
    if (pattern[this.#at] !== "-" || pattern[this.#at + 1] === "]") return [low, low];
    this.#at++;
    const high = this.#classCharacter();
    if (high < low) throw new NotUnderstood();
    return [low, high];
  }

  #classCharacter(): number {
    if (this.#pattern[this.#at] !== "\\") return this.#next();
    this.#at++;
    return this.#escape();
  }

  #next(): number {
    const point = this.#pattern.codePointAt(this.#at);
    if (point === undefined) throw new NotUnderstood();
    this.#at += point > 0xffff ? 2 : 1;
    return point;
  }

  #match(syntax: RegExp): RegExpExecArray | null {
    syntax.lastIndex = this.#at;
    const match = syntax.exec(this.#pattern);
    if (match !== null) this.#at = syntax.lastIndex;
    return match;
  }
}

function setFlags(flags: Flags, letters: string, on: boolean): void {
  if (letters.includes("i")) flags.fold = on;
  if (letters.includes("s")) flags.dotAll = on;
  if (letters.includes("m")) flags.multiLine = on;
}

function folded(ranges: Ranges, flags: Flags): Ranges | null {
  return flags.fold ? foldCase(ranges) : ranges;
}

function oneCharacter(point: number, flags: Flags): Pattern {
  const ranges = folded([point, point], flags);
  return ranges === null ? unknown : { kind: "class", ranges };
}

function oneOr(kind: "sequence" | "choice", of: Pattern[]): Pattern {
  return of.length === 1 ? of[0]! : { kind, of };
}
