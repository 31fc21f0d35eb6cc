// Literals, as they stand in expressions and hints, and the numbers that stages take.

import type { KindName, Literal, Numeric, StatusName } from "./ast.ts";
import type { TokenStream } from "./token_stream.ts";

const int64Max = 2n ** 63n - 1n;

const statusNames: ReadonlySet<string> = new Set<StatusName>(["unset", "ok", "error"]);
const kindNames: ReadonlySet<string> = new Set<KindName>([
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
]);

/** The literal that is next, or null if something else is. */
export function takeLiteral(tokens: TokenStream): Literal | null {
  const { position, ...token } = tokens.peek();
  switch (token.type) {
    case "string":
      tokens.next();
      return tokens.made({ kind: "literal", type: "string", value: token.value, position });
    case "word": {
      const literal = wordLiteral(token.text);
      if (literal === null) return null;
      tokens.next();
      return tokens.made({ ...literal, position });
    }
    default:
      return takeNumber(tokens);
  }
}

type Unplaced<T> = T extends unknown ? Omit<T, "position"> : never;

function wordLiteral(word: string): Unplaced<Literal> | null {
  if (word === "true" || word === "false") return { kind: "literal", type: "bool", value: word === "true" };
  if (word === "minInt") return { kind: "literal", type: "int", value: -int64Max - 1n };
  if (word === "maxInt") return { kind: "literal", type: "int", value: int64Max };
  if (statusNames.has(word)) return { kind: "literal", type: "status", value: word as StatusName };
  if (kindNames.has(word)) return { kind: "literal", type: "kind", value: word as KindName };
  return null;
}

/** An integer, float or duration without a sign. */
export function takeNumber(tokens: TokenStream): Numeric | null {
  const token = tokens.peek();
  const { position } = token;
  if (token.type === "float") {
    tokens.next();
    return tokens.made({ kind: "literal", type: "float", value: token.value, position });
  }
  if (token.type !== "int" && token.type !== "duration") return null;
  tokens.next();
  return tokens.made({ kind: "literal", type: token.type, value: token.value, position });
}

/** A number that may have a minus before it. */
export function parseSignedNumber(tokens: TokenStream): Numeric {
  const { position } = tokens.peek();
  const negative = tokens.take("-");
  const number = takeNumber(tokens);
  if (number === null) throw tokens.unexpected("a number or a duration");
  if (!negative) return number;
  const { kind } = number;
  if (number.type === "float") {
    return tokens.made({ kind, type: number.type, value: -number.value, position });
  }
  return tokens.made({ kind, type: number.type, value: -number.value, position });
}

export function parseInteger(tokens: TokenStream): bigint {
  const token = tokens.peek();
  if (token.type !== "int") throw tokens.unexpected("an integer");
  tokens.next();
  return token.value;
}
