// A query that is still being typed: repaired where it breaks off, for the sake of what already stands.

import type { Query, Stage } from "./ast.ts";
import { TraceQLError } from "./errors.ts";
import { bareIntrinsics } from "./intrinsics.ts";
import { lex } from "./lexer.ts";
import { parse, parseTokens } from "./parse.ts";
import type { Token } from "./token.ts";
import { validate } from "./validate.ts";

const comparisons: ReadonlySet<string> = new Set(["=", "!=", "<", "<=", ">", ">=", "=~", "!~"]);

/** The query, repaired if that makes it a valid one; null if nothing does. */
export function parseLeniently(text: string): Query | null {
  return attempt(() => parse(text)) ?? attempt(() => withoutBareFilters(parseTokens(repair(lex(text)))));
}

function attempt(parseQuery: () => Query): Query | null {
  try {
    const query = parseQuery();
    validate(query);
    return query;
  } catch (error) {
    if (error instanceof TraceQLError) return null;
    throw error;
  }
}

/** The part before the first pipe, without comparisons that compare with nothing, and with its braces closed. */
function repair(tokens: Token[]): Token[] {
  const pipe = tokens.findIndex((token) => isOperator(token, "|"));
  const cut = pipe < 0 ? tokens.length - 1 : pipe;
  const end = tokens[cut]!;
  const kept = withoutDangling(withoutOpenComparisons(tokens.slice(0, cut)));
  let open = 0;
  for (const token of kept) open += isOperator(token, "{") ? 1 : isOperator(token, "}") ? -1 : 0;
  const braces = Array.from({ length: Math.max(open, 0) }, (): Token => {
    return { type: "operator", text: "}", position: end.position };
  });
  return [...kept, ...braces, ...tokens.slice(cut)];
}

/**
 * `.a = }` becomes `.a }`: what is left asks for nothing yet. An intrinsic, which mostly is no boolean, becomes `true`,
 * lest its type makes the rest useless.
 */
function withoutOpenComparisons(tokens: Token[]): Token[] {
  const kept: Token[] = [];
  for (const [at, token] of tokens.entries()) {
    const before = kept.at(-1);
    const isOpen = token.type === "operator" && comparisons.has(token.text) && !startsOperand(tokens[at + 1]);
    const isScoped = kept.at(-2)?.type === "colonScope";
    if (isOpen && before?.type === "word" && (isScoped || bareIntrinsics.has(before.text))) {
      const { position } = kept.splice(isScoped ? -2 : -1)[0]!;
      kept.push({ type: "word", text: "true", position });
    } else if (!isOpen || before?.type !== "attribute") {
      kept.push(token);
    }
  }
  return kept;
}

function startsOperand(token: Token | undefined): boolean {
  if (token === undefined || token.type === "end") return false;
  return (
    token.type !== "operator" ||
    token.text === "(" ||
    token.text === "-" ||
    token.text === "!" ||
    token.text === "{"
  );
}

/**
 * Without `&&` and `||` that lack a side, and brackets with nothing in them. One pass with a stack does it until nothing
 * more changes, since whatever falls away leaves its neighbours on top.
 */
function withoutDangling(tokens: Token[]): Token[] {
  const kept: Token[] = [];
  for (const token of tokens) {
    if (isConnector(token) && opens(kept.at(-1))) continue;
    if (isOperator(token, ")") || isOperator(token, "}")) dropConnectors(kept);
    if (isOperator(token, ")") && isOperator(kept.at(-1), "(") && !isCall(kept.at(-2))) kept.pop();
    else kept.push(token);
  }
  dropConnectors(kept);
  return kept;
}

function dropConnectors(kept: Token[]): void {
  while (isConnector(kept.at(-1))) kept.pop();
}

/** Whether nothing stands yet that a connector could join to. */
function opens(token: Token | undefined): boolean {
  return token === undefined || isOperator(token, "{") || isOperator(token, "(") || isConnector(token);
}

/** The brackets of `count()` are not empty brackets. */
function isCall(token: Token | undefined): boolean {
  return token?.type === "word";
}

function isConnector(token: Token | undefined): boolean {
  return isOperator(token, "&&") || isOperator(token, "||");
}

function isOperator(token: Token | undefined, text: string): boolean {
  return token?.type === "operator" && token.text === text;
}

/** `{ .a }` was most likely to become a comparison, and holds for every span until it is one. */
function withoutBareFilters(query: Query): Query {
  return { ...query, stages: query.stages.map(withoutBareFilter) };
}

function withoutBareFilter(stage: Stage): Stage {
  if (stage.kind !== "filter") return stage;
  const { kind, position } = stage.expression;
  if (kind !== "attribute" && kind !== "intrinsic") return stage;
  return { ...stage, expression: { kind: "literal", type: "bool", value: true, position } };
}
