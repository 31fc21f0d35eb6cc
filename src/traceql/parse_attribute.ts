// Attributes and intrinsics, alone and in lists.

import type { Attribute } from "./ast.ts";
import { bareIntrinsics, scopedIntrinsics } from "./intrinsics.ts";
import type { TokenStream } from "./token_stream.ts";

const expected = "an attribute (.name, span.name, resource.name, …) or an intrinsic (duration, span:name, …)";

export function parseAttribute(tokens: TokenStream): Attribute {
  const attribute = takeAttribute(tokens);
  if (attribute === null) throw tokens.unexpected(expected);
  return attribute;
}

/** The attribute or intrinsic that is next, or null if something else is. */
export function takeAttribute(tokens: TokenStream): Attribute | null {
  const token = tokens.peek();
  const { position } = token;
  if (token.type === "attribute") {
    tokens.next();
    const { parent, scope, name } = token;
    return tokens.made({ kind: "attribute", parent, scope, name, position });
  }
  if (token.type === "word") {
    const name = bareIntrinsics.get(token.text);
    if (name === undefined) return null;
    tokens.next();
    return tokens.made({ kind: "intrinsic", name, position });
  }
  if (token.type !== "colonScope") return null;
  tokens.next();
  const words = scopedIntrinsics[token.scope];
  const word = tokens.peek();
  const name = word.type === "word" ? words.get(word.text) : undefined;
  if (name === undefined)
    throw tokens.unexpected(`one of ${[...words.keys()].join(", ")} after ${token.text}`);
  tokens.next();
  return tokens.made({ kind: "intrinsic", name, position });
}

/** `(a, b)` */
export function parseAttributeList(tokens: TokenStream): Attribute[] {
  tokens.expect("(");
  const attributes = [parseAttribute(tokens)];
  while (tokens.take(",")) attributes.push(parseAttribute(tokens));
  tokens.expect(")", '"," or ")"');
  return attributes;
}
