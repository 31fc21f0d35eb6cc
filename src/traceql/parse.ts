// A query's text, or its tokens, to its syntax tree.

import type { Query, Stage } from "./ast.ts";
import { lex } from "./lexer.ts";
import { parseHints } from "./parse_hints.ts";
import { takeMetrics } from "./parse_metrics.ts";
import { type Element, parseElement, stageOf } from "./parse_pipeline.ts";
import type { Token } from "./token.ts";
import { TokenStream } from "./token_stream.ts";

/**
 * Says nothing about types: see `validate`.
 *
 * @param text of any length: the caller limits it. Costs time in proportion to it, and bounded stack.
 * @returns the tree of what was written; `rewrite` folds its constants
 * @throws TraceQLError with code "parse"
 */
export function parse(text: string): Query {
  return parseTokens(lex(text));
}

/** @param list with the "end" token last */
export function parseTokens(list: Token[]): Query {
  const tokens = new TokenStream(list);
  const { position } = tokens.peek();
  const first = parseElement(tokens, true);
  let stages: Stage[];
  let metrics: Query["metrics"] = null;
  let expected = '"|", with, or the end of the query';
  if (tokens.at("operator", "|")) {
    stages = [stageOf(tokens, first)];
    while (metrics === null && tokens.take("|")) {
      metrics = takeMetrics(tokens);
      if (metrics === null) stages.push(stageOf(tokens, parseElement(tokens, false)));
    }
    if (metrics !== null) expected = `a comparison, ${expected}`;
  } else {
    stages = onlyStages(tokens, first);
    if (first.type === "spanset") expected = `an operator between span sets, ${expected}`;
  }
  const hints = parseHints(tokens);
  if (tokens.peek().type !== "end")
    throw tokens.unexpected(hints.length > 0 ? "the end of the query" : expected);
  return { kind: "query", stages, metrics, hints, position };
}

/** Of a query without a pipe at its top: brackets around the whole of it mean nothing. */
function onlyStages(tokens: TokenStream, element: Element): Stage[] {
  if (element.type !== "spanset") return [stageOf(tokens, element)];
  return element.node.kind === "pipeline" ? element.node.stages : [element.node];
}
