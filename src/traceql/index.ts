// TraceQL, the query language of traces: text to a typed tree and back, and what is wrong with a text that is no query.
// A library of its own: nothing here knows spans, blocks or servers.
//
//   parse(text) → Query          syntax; throws TraceQLError with line and column
//   validate(query)              types, patterns, what is reserved; throws TraceQLError
//   rewrite(query) → Query       constants folded, lists for chains of "or": what an engine plans from
//   print(query) → text          canonical; parses to an equal tree
//   parseIdentifier(text)        one attribute
//   extractConditions(text, …)   what an unfinished query asks of a span

export * from "./ast.ts";
export {
  type Condition,
  type ConditionGroup,
  type ConditionOptions,
  extractConditions,
} from "./conditions.ts";
export { parseDuration, printDuration } from "./duration.ts";
export { type Position, TraceQLError, type TraceQLErrorCode } from "./errors.ts";
export { parseIdentifier } from "./identifier.ts";
export { type IntrinsicName, type IntrinsicType, intrinsicTypes } from "./intrinsics.ts";
export { parseLeniently } from "./lenient.ts";
export { nestingDepthMax } from "./limits.ts";
export { parse } from "./parse.ts";
export {
  print,
  printAttribute,
  printField,
  printKey,
  printScalar,
  printSpanset,
  printStage,
} from "./print.ts";
export { printLiteral } from "./print_literal.ts";
export { regexProblem } from "./regex.ts";
export { type RewriteOptions, rewrite } from "./rewrite.ts";
export { isNumeric, referencesSpan, type StaticType, typeOf } from "./types.ts";
export { validate } from "./validate.ts";
