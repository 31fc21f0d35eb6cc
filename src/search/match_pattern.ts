// How a regular expression is matched: the quickest way that is the same as RE2.
import { type Dfa, toDfa } from "./match_dfa.ts";
import { Engine } from "./match_engine.ts";
import { type Globs, toGlobs } from "./match_glob.ts";
import { toNfa } from "./match_nfa.ts";
import type { Program } from "./match_program.ts";
import { type Pattern, parsePattern } from "./match_syntax.ts";

/**
 * literals: a set of texts. globs: literals with gaps. automaton: a step per byte. These run in the data plane.
 * engine: what passes as globs there is left to an engine of JavaScript.
 */
export type PatternStrategy = "literals" | "globs" | "automaton" | "engine";

export interface CompiledPattern {
  strategy: PatternStrategy;
  program: Program;
  /** What decides where the program leaves it open. */
  engine: Engine | null;
}

/** Bytes of a literal worth looking for before an automaton starts. */
const soughtBytesMin = 2;

/**
 * @param patterns valid, see regexProblem(); a text fits if it fits one of them
 * @throws MatchTooComplex
 */
export function compilePatterns(patterns: readonly string[]): CompiledPattern {
  const tree: Pattern = { kind: "choice", of: patterns.map(parsePattern) };
  const globs = toGlobs(tree);
  if (globs?.exact) return compileGlobs(globs);
  const nfa = toNfa(tree);
  const automaton = nfa && toDfa(nfa);
  return automaton ? compileAutomaton(automaton, globs) : compileEngine(patterns, globs);
}

export function compileGlobs({ literals, globs }: Globs): CompiledPattern {
  return {
    strategy: globs.length === 0 ? "literals" : "globs",
    program: { literals, globs, verdict: "fits" },
    engine: null,
  };
}

export function compileAutomaton(automaton: Dfa, globs: Globs | null): CompiledPattern {
  const { literals, globs: sought } = globs !== null && isSelective(globs) ? globs : everyText;
  return { strategy: "automaton", program: { literals, globs: sought, verdict: automaton }, engine: null };
}

export function compileEngine(patterns: readonly string[], globs: Globs | null): CompiledPattern {
  return {
    strategy: "engine",
    program: { ...(globs ?? everyText), verdict: "ask" },
    engine: new Engine(patterns),
  };
}

const everyText: Globs = {
  literals: [],
  globs: [{ literals: [new Uint8Array(0), new Uint8Array(0)], gaps: [0] }],
  exact: false,
};

/** A wrong beginning the automaton finds as soon; a wrong rest it doesn't. */
function isSelective({ globs }: Globs): boolean {
  return globs.every(({ literals }) => literals.some(({ length }, i) => i > 0 && length >= soughtBytesMin));
}
