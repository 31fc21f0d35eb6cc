// The one error of the language: what is wrong with a query, and where.

import { quotedCharactersMax } from "./limits.ts";

export interface Position {
  /** UTF-16 units before this place. */
  offset: number;
  /** From 1. */
  line: number;
  /** Characters, from 1. */
  column: number;
}

/**
 * parse: the text is no query. validate: it is one, but makes no sense by its types, or asks for something reserved.
 * limit: it makes sense, but is larger than the caller allows.
 */
export type TraceQLErrorCode = "parse" | "validate" | "limit";

/** `message` is meant for the client as it stands; the HTTP endpoints put `invalid TraceQL query: ` before it. */
export class TraceQLError extends Error {
  override readonly name = "TraceQLError";
  readonly code: TraceQLErrorCode;
  readonly position: Position;
  /** The message without its place. */
  readonly reason: string;

  private constructor(code: TraceQLErrorCode, reason: string, message: string, position: Position) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.position = position;
  }

  /** The same error with something said before it. */
  within(context: string): TraceQLError {
    return new TraceQLError(this.code, this.reason, `${context}: ${this.message}`, this.position);
  }

  static parse(reason: string, position: Position): TraceQLError {
    const { line, column } = position;
    return new TraceQLError(
      "parse",
      reason,
      `parse error at line ${line}, col ${column}: ${reason}`,
      position,
    );
  }

  static validate(reason: string, position: Position): TraceQLError {
    const { line, column } = position;
    return new TraceQLError("validate", reason, `${reason} (line ${line}, col ${column})`, position);
  }

  static limit(reason: string, position: Position): TraceQLError {
    return new TraceQLError("limit", reason, reason, position);
  }
}

/** A piece of a query as a message repeats it: cut when it is long. */
export function shortened(text: string): string {
  return text.length <= quotedCharactersMax ? text : `${text.slice(0, quotedCharactersMax)}…`;
}
