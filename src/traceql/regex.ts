// Whether a text is a regular expression of RE2, as Go has it, without making a machine of it.

/** Of one repetition, and of repetitions within one another: x{1000}, (x{10}){100}. */
const repetitionsMax = 1000;
/** Groups within groups. */
const groupDepthMax = 250;
/** Steps of the machine it would become: a pattern of any length a query has, but not one that repeats itself to more. */
const stepsMax = 200_000;
const nameCharactersMax = 60;

const perlClasses = "dDsSwW";
const assertions = "AbBz";
const posixClasses: ReadonlySet<string> = new Set(
  "alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit".split(" "),
);
const controlEscapes: Record<string, number> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

const countedRepetition = /\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y;
const groupName = /\?P?<([^>]*)>?/y;
const groupFlags = /\?([imsU]*)(?:-([imsU]+))?([:)])/y;
const hexEscape = /x(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/y;
const octalEscape = /(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/y;
const propertyName = /[pP](?:\{(\^?)([^}]*)\}|(.))/uy;

/** @returns what is wrong with the pattern, in the words of Go's compiler; null if it compiles */
export function regexProblem(pattern: string): string | null {
  try {
    new Checker(pattern).check();
    return null;
  } catch (error) {
    if (error instanceof RegexProblem) return `error parsing regexp: ${error.message}`;
    throw error;
  }
}

class RegexProblem extends Error {}

/** A group that is open, or the whole pattern. */
interface Open {
  /** Steps of what is inside, and the largest product of repetitions there. */
  steps: number;
  repetitions: number;
  /** The same of the last thing, which a repetition would apply to; null where there is none. */
  last: { steps: number; repetitions: number } | null;
}

class Checker {
  readonly #pattern: string;
  #at = 0;
  readonly #names = new Set<string>();
  readonly #open: Open[] = [{ steps: 1, repetitions: 1, last: null }];

  /** Where the last `:]` is: behind it, nobody has to look for one. */
  readonly #lastPosixEnd: number;

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#lastPosixEnd = pattern.lastIndexOf(":]");
  }

  check(): void {
    const pattern = this.#pattern;
    let repeatedFrom = -1;
    while (this.#at < pattern.length) {
      const from = this.#at;
      const repeated = this.#repetition(repeatedFrom);
      repeatedFrom = repeated ? (repeatedFrom < 0 ? from : repeatedFrom) : -1;
      if (!repeated) this.#item();
    }
    if (this.#open.length > 1) throw problem("missing closing )", pattern);
  }

  #item(): void {
    const character = this.#pattern[this.#at]!;
    switch (character) {
      case "(":
        this.#group();
        return;
      case ")":
        this.#close();
        return;
      case "|":
        this.#at++;
        this.#inside().last = null;
        this.#steps(1);
        return;
      case "[":
        this.#class();
        this.#atom();
        return;
      case "\\":
        this.#backslash();
        return;
      default:
        this.#at += codeLength(this.#pattern, this.#at);
        this.#atom();
        return;
    }
  }

  #inside(): Open {
    return this.#open[this.#open.length - 1]!;
  }

  #atom(): void {
    this.#inside().last = { steps: 1, repetitions: 1 };
    this.#steps(1);
  }

  #steps(count: number): void {
    const group = this.#inside();
    group.steps += count;
    if (group.steps > stepsMax) throw problem("expression too large", this.#pattern);
  }

  /** `* + ? {n,m}` with a lazy `?`, if one is here. */
  #repetition(repeatedFrom: number): boolean {
    const from = this.#at;
    const character = this.#pattern[from];
    let most = 1;
    if (character === "{") {
      const counted = this.#match(countedRepetition);
      if (!counted) return false;
      const low = Number(counted[1]);
      const high = counted[2] === undefined ? low : counted[3] === undefined ? -1 : Number(counted[3]);
      if (low > repetitionsMax || high > repetitionsMax || (high >= 0 && low > high)) {
        throw problem("invalid repeat count", counted[0]);
      }
      most = high < 0 ? low : high;
    } else if (character === "*" || character === "+" || character === "?") {
      this.#at++;
    } else {
      return false;
    }
    const operator = this.#pattern.slice(from, this.#at);
    if (this.#pattern[this.#at] === "?") this.#at++;
    if (repeatedFrom >= 0) {
      throw problem("invalid nested repetition operator", this.#pattern.slice(repeatedFrom, this.#at));
    }
    const { last } = this.#inside();
    if (last === null) throw problem("missing argument to repetition operator", operator);
    if (most >= 2 && last.repetitions * most > repetitionsMax)
      throw problem("invalid repeat count", operator);
    const copies = last.steps * Math.max(most, 1) + 1;
    this.#steps(copies - last.steps);
    const group = this.#inside();
    group.last = { steps: copies, repetitions: most === 0 ? 1 : last.repetitions * most };
    group.repetitions = Math.max(group.repetitions, group.last.repetitions);
    return true;
  }

  #group(): void {
    const from = this.#at++;
    if (this.#pattern[this.#at] === "?") {
      if (this.#named(from)) return;
      const flags = this.#match(groupFlags);
      if (!flags) throw problem("invalid or unsupported Perl syntax", this.#pattern.slice(from, from + 3));
      if (flags[3] === ")") return;
    }
    this.#push();
  }

  #named(from: number): boolean {
    const named = this.#match(groupName);
    if (!named) return false;
    const name = named[1]!;
    if (!named[0].endsWith(">") || !/^\w+$/.test(name)) {
      throw problem("invalid named capture", this.#pattern.slice(from, this.#at));
    }
    if (this.#names.has(name)) throw problem("duplicate capture group name", name);
    this.#names.add(name);
    this.#push();
    return true;
  }

  #push(): void {
    if (this.#open.length > groupDepthMax) throw problem("expression nests too deeply", this.#pattern);
    this.#open.push({ steps: 2, repetitions: 1, last: null });
  }

  #close(): void {
    if (this.#open.length === 1) throw problem("unexpected )", this.#pattern);
    this.#at++;
    const { steps, repetitions } = this.#open.pop()!;
    const group = this.#inside();
    group.last = { steps, repetitions };
    group.repetitions = Math.max(group.repetitions, repetitions);
    this.#steps(steps);
  }

  #backslash(): void {
    const from = this.#at++;
    const character = this.#pattern[this.#at];
    if (character === undefined) throw problem("trailing backslash at end of expression", "");
    if (character === "Q") {
      this.#quotation();
      return;
    }
    if (assertions.includes(character) || perlClasses.includes(character)) this.#at++;
    else if (character === "p" || character === "P") this.#property(from);
    else this.#escape(from);
    this.#atom();
  }

  /** `\Q…\E` */
  #quotation(): void {
    const from = this.#at + 1;
    const close = this.#pattern.indexOf("\\E", from);
    const end = close < 0 ? this.#pattern.length : close;
    for (this.#at = from; this.#at < end; this.#at += codeLength(this.#pattern, this.#at)) this.#atom();
    if (close >= 0) this.#at = close + 2;
  }

  /** `\pL`, `\p{Greek}`, behind the backslash. */
  #property(from: number): void {
    const match = this.#match(propertyName);
    const name = match?.[2] ?? match?.[3] ?? "";
    if (match && isProperty(name)) return;
    throw problem("invalid character class range", this.#pattern.slice(from, match ? this.#at : from + 2));
  }

  /** A character behind a backslash. @returns its code point */
  #escape(from: number): number {
    const character = this.#pattern[this.#at] ?? "";
    const octal = this.#match(octalEscape);
    if (octal) return Number.parseInt(octal[0], 8);
    const hex = this.#match(hexEscape);
    if (hex) {
      const point = Number.parseInt(hex[1] ?? hex[2]!, 16);
      if (point <= 0x10ffff) return point;
    } else if (controlEscapes[character] !== undefined) {
      this.#at++;
      return controlEscapes[character];
    } else if (character !== "" && character.charCodeAt(0) < 0x80 && !/[0-9A-Za-z]/.test(character)) {
      this.#at++;
      return character.charCodeAt(0);
    }
    throw problem("invalid escape sequence", this.#pattern.slice(from, Math.max(this.#at, from + 2)));
  }

  /** `[…]` */
  #class(): void {
    const pattern = this.#pattern;
    const from = this.#at++;
    if (pattern[this.#at] === "^") this.#at++;
    for (let first = true; first || pattern[this.#at] !== "]"; first = false) {
      if (this.#at >= pattern.length) throw problem("missing closing ]", pattern.slice(from));
      if (this.#classGroup()) continue;
      const start = this.#at;
      const low = this.#classCharacter(from);
      if (pattern[this.#at] !== "-" || pattern[this.#at + 1] === "]" || this.#at + 1 >= pattern.length)
        continue;
      this.#at++;
      if (this.#classCharacter(from) < low) {
        throw problem("invalid character class range", pattern.slice(start, this.#at));
      }
    }
    this.#at++;
  }

  /** `[:alpha:]`, `\d` or `\pL` inside a class, if one is here. */
  #classGroup(): boolean {
    const from = this.#at;
    if (this.#pattern.startsWith("[:", from) && from + 2 <= this.#lastPosixEnd) {
      this.#at = this.#pattern.indexOf(":]", from + 2) + 2;
      const posix = this.#pattern.slice(from, this.#at);
      if (posixClasses.has(posix.slice(posix[2] === "^" ? 3 : 2, -2))) return true;
      throw problem("invalid character class range", posix);
    }
    if (this.#pattern[from] !== "\\") return false;
    const character = this.#pattern[from + 1] ?? "";
    if (character === "p" || character === "P") {
      this.#at++;
      this.#property(from);
      return true;
    }
    if (character === "" || !perlClasses.includes(character)) return false;
    this.#at += 2;
    return true;
  }

  #classCharacter(from: number): number {
    const pattern = this.#pattern;
    if (this.#at >= pattern.length) throw problem("missing closing ]", pattern.slice(from));
    if (pattern[this.#at] === "\\") {
      const start = this.#at++;
      if (this.#at >= pattern.length) throw problem("trailing backslash at end of expression", "");
      return this.#escape(start);
    }
    const point = pattern.codePointAt(this.#at)!;
    this.#at += codeLength(pattern, this.#at);
    return point;
  }

  #match(syntax: RegExp): RegExpExecArray | null {
    syntax.lastIndex = this.#at;
    const match = syntax.exec(this.#pattern);
    if (match) this.#at = syntax.lastIndex;
    return match;
  }
}

function problem(reason: string, where: string): RegexProblem {
  return new RegexProblem(where === "" ? reason : `${reason}: \`${where}\``);
}

function codeLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}

/** A general category or a script. */
function isProperty(name: string): boolean {
  if (name === "Any") return true;
  if (!/^\w+$/.test(name) || name.length > nameCharactersMax) return false;
  for (const property of [`General_Category=${name}`, `Script=${name}`]) {
    try {
      new RegExp(`\\p{${property}}`, "u");
      return true;
    } catch {
      // Not of this sort.
    }
  }
  return false;
}
