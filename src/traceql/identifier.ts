// One attribute on its own, as the path of a tag's values names it.

import type { Attribute } from "./ast.ts";
import { shortened, TraceQLError } from "./errors.ts";
import { lex } from "./lexer.ts";
import { parseAttribute } from "./parse_attribute.ts";
import { keywords } from "./token.ts";
import { TokenStream } from "./token_stream.ts";

/**
 * `.http.status`, `span.foo`, `resource."a b"`, `name`, `span:name`, `event:name` …
 *
 * @throws TraceQLError with code "parse": `failed to parse identifier x: parse error at line 1, col 2: …`. Columns are
 *   those of `{x}`, as clients of Tempo know them.
 */
export function parseIdentifier(text: string): Attribute {
  try {
    const tokens = new TokenStream(lex(`{${text}}`));
    tokens.expect("{");
    const { type, text: word, position } = tokens.peek();
    if (type === "word" && !keywords.has(word)) {
      throw TraceQLError.parse(`unknown identifier: ${shortened(word)}`, position);
    }
    const attribute = parseAttribute(tokens);
    tokens.expect("}", "the end of the identifier");
    if (tokens.peek().type !== "end") throw tokens.unexpected("the end of the identifier");
    return attribute;
  } catch (error) {
    throw error instanceof TraceQLError
      ? error.within(`failed to parse identifier ${shortened(text)}`)
      : error;
  }
}
