// The regular expressions that need a whole engine: RE2's own, linear in the text whatever the pattern, if not quick.
import { createRequire } from "node:module";
import type { RE2JS } from "re2js";
import { MatchTooComplex } from "./match_error.ts";

/** Instructions that patterns may come to. */
const instructionsMax = 10_000;
/** A byte of a text may cost as many steps as there are instructions, at up to 0.1 µs each: so many for one text, */
const textStepsMax = 100_000_000;
/** and so long for those that are held against the patterns in one go. */
const runMsMax = 5_000;

let re2: typeof RE2JS | undefined;

/** RE2 takes 8 MB: a process that never meets such a pattern does without. */
function loadRe2(): typeof RE2JS {
  if (re2 === undefined) {
    const require = createRequire(import.meta.url);
    re2 = (require("re2js") as typeof import("re2js")).RE2JS;
  }
  return re2;
}

export class Engine {
  readonly #patterns: readonly RE2JS[];
  readonly #now: () => number;
  #instructions = 0;
  #spentMs = 0;

  /**
   * @param patterns valid, see regexProblem()
   * @param now a clock, in milliseconds
   * @throws MatchTooComplex
   */
  constructor(patterns: readonly string[], now = () => performance.now()) {
    this.#patterns = patterns.map((pattern) => this.#compile(pattern));
    this.#now = now;
  }

  #compile(pattern: string): RE2JS {
    const compiled = compile(pattern);
    this.#instructions += compiled.programSize();
    if (this.#instructions > instructionsMax) {
      throw new MatchTooComplex(`regular expression too complex: more than ${instructionsMax} instructions`);
    }
    return compiled;
  }

  /** Begins a run: fits() has its time anew. */
  begin(): void {
    this.#spentMs = 0;
  }

  /**
   * Whether a text as a whole fits one of the patterns, by Go's rules also where its UTF-8 is broken.
   *
   * @throws MatchTooComplex if it, or the run, would take too long
   */
  fits(text: Uint8Array): boolean {
    if (this.#spentMs > runMsMax || text.length * this.#instructions > textStepsMax) {
      throw new MatchTooComplex("regular expression too complex for the strings that it is held against");
    }
    const began = this.#now();
    const fits = this.#patterns.some((pattern) => pattern.testExact(text));
    this.#spentMs += this.#now() - began;
    return fits;
  }
}

function compile(pattern: string): RE2JS {
  try {
    return loadRe2().compile(`(?s:${pattern})`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MatchTooComplex(`regular expression not supported: ${reason}`, { cause });
  }
}
