// Text in, tokens out. Which token stands where never depends on the grammar.

import type { Scope } from "./ast.ts";
import { type Position, shortened, TraceQLError } from "./errors.ts";
import { type ColonScope, scopedIntrinsics } from "./intrinsics.ts";
import { lexName } from "./lex_name.ts";
import { lexNumber } from "./lex_number.ts";
import { lexString } from "./lex_string.ts";
import { operatorCharactersMax, operators, type Token } from "./token.ts";

const dottedScopes: ReadonlyMap<string, Scope> = new Map([
  ["span", "span"],
  ["resource", "resource"],
  ["event", "event"],
  ["link", "link"],
  ["instrumentation", "instrumentation"],
]);
const secondScope = /(span|resource)\./y;
const word = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const digit = /[0-9]/;

/**
 * All tokens of a query; the last one is of type "end".
 *
 * @throws TraceQLError at the first thing that is no token
 */
export function lex(text: string): Token[] {
  return new Lexer(text).tokens();
}

class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #column = 1;
  /** What line and column speak of. */
  #located = 0;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.#skipSpace();
      const token = this.#token();
      tokens.push(token);
      if (token.type === "end") return tokens;
    }
  }

  #token(): Token {
    const text = this.#text;
    const at = this.#at;
    const position = this.#position(at);
    const character = text[at];
    if (character === undefined) return { type: "end", position, text: "" };
    if (character === '"' || character === "`") {
      const string = lexString(text, at);
      if ("problem" in string) throw this.#error(string.problem, string.at);
      return { type: "string", position, text: this.#take(string.end), value: string.value };
    }
    if (digit.test(character) || (character === "." && digit.test(text[at + 1] ?? ""))) {
      const number = lexNumber(text, at);
      if (typeof number === "string") throw this.#error(shortened(number), at);
      const taken = this.#take(number.end);
      if (number.type === "float") return { type: "float", position, text: taken, value: number.value };
      return { type: number.type, position, text: taken, value: number.value };
    }
    if (character === ".") return this.#attribute(position, at + 1, false, "none");
    word.lastIndex = at;
    const letters = word.exec(text)?.[0];
    if (letters !== undefined) return this.#word(position, letters);
    return this.#operator(position);
  }

  #word(position: Position, letters: string): Token {
    const end = position.offset + letters.length;
    const behind = this.#text[end];
    if (behind === ".") {
      const scope = dottedScopes.get(letters);
      if (scope !== undefined) return this.#attribute(position, end + 1, false, scope);
      if (letters === "parent") {
        secondScope.lastIndex = end + 1;
        const second = secondScope.exec(this.#text);
        const from = second ? secondScope.lastIndex : end + 1;
        return this.#attribute(position, from, true, dottedScopes.get(second?.[1] ?? "") ?? "none");
      }
    }
    if (behind === ":" && Object.hasOwn(scopedIntrinsics, letters)) {
      return { type: "colonScope", position, text: this.#take(end + 1), scope: letters as ColonScope };
    }
    return { type: "word", position, text: this.#take(end) };
  }

  #attribute(position: Position, from: number, parent: boolean, scope: Scope): Token {
    const name = lexName(this.#text, from);
    if ("problem" in name) throw this.#error(name.problem, name.at);
    return { type: "attribute", position, text: this.#take(name.end), parent, scope, name: name.name };
  }

  #operator(position: Position): Token {
    const at = this.#at;
    for (let length = operatorCharactersMax; length > 0; length--) {
      const text = this.#text.slice(at, at + length);
      if (text.length !== length || !operators.has(text)) continue;
      return { type: "operator", position, text: this.#take(at + length) };
    }
    const character = String.fromCodePoint(this.#text.codePointAt(at)!);
    const advice = character === "'" ? ': strings stand in "…" or `…`' : "";
    throw this.#error(`unexpected character ${JSON.stringify(character)}${advice}`, at);
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const character = text[this.#at];
      if (character === " " || character === "\t" || character === "\n" || character === "\r") {
        this.#at++;
      } else if (text.startsWith("//", this.#at)) {
        const end = text.indexOf("\n", this.#at);
        this.#at = end < 0 ? text.length : end;
      } else if (text.startsWith("/*", this.#at)) {
        const end = text.indexOf("*/", this.#at + 2);
        if (end < 0) throw this.#error("comment has no closing */", this.#at);
        this.#at = end + 2;
      } else {
        return;
      }
    }
  }

  /** The text up to there; the next token begins behind it. */
  #take(end: number): string {
    const taken = this.#text.slice(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Of an offset that is not before the last one asked for. */
  #position(offset: number): Position {
    while (this.#located < offset) {
      const point = this.#text.codePointAt(this.#located)!;
      this.#located += point > 0xffff ? 2 : 1;
      if (point === 0x0a) {
        this.#line++;
        this.#column = 1;
      } else {
        this.#column++;
      }
    }
    return { offset, line: this.#line, column: this.#column };
  }

  #error(reason: string, at: number): TraceQLError {
    return TraceQLError.parse(reason, this.#position(at));
  }
}
