// The tokens of a query as the parser takes them, and its two guards: nesting, and errors that say what was expected.

import type { AnyNode } from "./ast.ts";
import { type Position, shortened, TraceQLError } from "./errors.ts";
import { nestingDepthMax } from "./limits.ts";
import { keywords, type Token } from "./token.ts";

export class TokenStream {
  readonly #tokens: Token[];
  #next = 0;
  /** Brackets and prefixes that are open. */
  #open = 0;
  readonly #levels = new WeakMap<AnyNode, number>();

  /** @param tokens with the "end" token last */
  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    if (token.type !== "end") this.#next++;
    return token;
  }

  at(type: "word" | "operator", text: string): boolean {
    const token = this.peek();
    return token.type === type && token.text === text;
  }

  /** Takes the operator if it is next. */
  take(operator: string): boolean {
    if (!this.at("operator", operator)) return false;
    this.#next++;
    return true;
  }

  takeWord(word: string): boolean {
    if (!this.at("word", word)) return false;
    this.#next++;
    return true;
  }

  /** @param expected what else the message names; the operator itself if not given */
  expect(operator: string, expected = JSON.stringify(operator)): void {
    if (!this.take(operator)) throw this.unexpected(expected);
  }

  /** That the next token cannot stand there. */
  unexpected(expected: string, token = this.peek()): TraceQLError {
    if (token.type === "word" && !keywords.has(token.text)) {
      return TraceQLError.parse(
        `unknown identifier: ${shortened(token.text)}, expecting ${expected}`,
        token.position,
      );
    }
    const found = token.type === "end" ? "end of query" : JSON.stringify(shortened(token.text));
    return TraceQLError.parse(`syntax error: unexpected ${found}, expecting ${expected}`, token.position);
  }

  /** Goes one level down; `leave` comes back. */
  enter(): void {
    if (++this.#open > nestingDepthMax) throw tooDeep(this.peek().position);
  }

  leave(): void {
    this.#open--;
  }

  /** The node, once it is known that the tree below it is not too high. */
  made<T extends AnyNode>(node: T, ...children: AnyNode[]): T {
    let level = 0;
    for (const child of children) level = Math.max(level, this.#levels.get(child) ?? 0);
    if (++level > nestingDepthMax) throw tooDeep(this.peek().position);
    this.#levels.set(node, level);
    return node;
  }

  /** A node made before, with one more child. */
  grown<T extends AnyNode>(node: T, child: AnyNode): T {
    const level = Math.max(this.#levels.get(node) ?? 0, (this.#levels.get(child) ?? 0) + 1);
    if (level > nestingDepthMax) throw tooDeep(this.peek().position);
    this.#levels.set(node, level);
    return node;
  }
}

function tooDeep(position: Position): TraceQLError {
  return TraceQLError.parse(`query is nested more than ${nestingDepthMax} levels deep`, position);
}
