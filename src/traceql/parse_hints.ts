// `with (name=value, …)` at the end of a query.

import type { Hint } from "./ast.ts";
import { takeLiteral } from "./parse_literal.ts";
import { keywords } from "./token.ts";
import type { TokenStream } from "./token_stream.ts";

/** Of several lists the last one counts. */
export function parseHints(tokens: TokenStream): Hint[] {
  let hints: Hint[] = [];
  while (tokens.takeWord("with")) {
    tokens.expect("(");
    hints = [parseHint(tokens)];
    while (tokens.take(",")) hints.push(parseHint(tokens));
    tokens.expect(")", '"," or ")"');
  }
  return hints;
}

function parseHint(tokens: TokenStream): Hint {
  const { type, text, position } = tokens.peek();
  if (type !== "word" || keywords.has(text)) throw tokens.unexpected("the name of a hint");
  tokens.next();
  tokens.expect("=");
  const value = takeLiteral(tokens);
  if (value === null) throw tokens.unexpected("a value");
  return tokens.made({ kind: "hint", name: text, value, position });
}
