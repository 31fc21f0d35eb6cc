// Compiled predicates of this thread's latest queries: a search asks the same ones of every block.
import type { ComparisonOp } from "../traceql/index.ts";
import { compileMatch, compileMatchAny, type ListOp, type StringMatch } from "./match.ts";

const matchesMax = 256;
/** Lists longer than this are compiled each time: their texts would make long keys. */
const keyCharactersMax = 4096;

const matches = new Map<string, StringMatch>();

/** As compileMatch(). @throws MatchTooComplex */
export function matchOf(op: ComparisonOp, text: string): StringMatch {
  return remembered(`${op} ${text}`, () => compileMatch(op, text));
}

/** As compileMatchAny(). @throws MatchTooComplex */
export function matchAnyOf(op: ListOp, texts: readonly string[]): StringMatch {
  return remembered(`any ${op} ${JSON.stringify(texts)}`, () => compileMatchAny(op, [...texts]));
}

function remembered(key: string, compile: () => StringMatch): StringMatch {
  if (key.length > keyCharactersMax) return compile();
  const known = matches.get(key);
  if (known !== undefined) {
    matches.delete(key);
    matches.set(key, known);
    return known;
  }
  const match = compile();
  matches.set(key, match);
  for (const oldest of matches.keys()) {
    if (matches.size <= matchesMax) break;
    matches.delete(oldest);
  }
  return match;
}
