// Says what is wrong with a query where it is wrong: the line, and a caret under the place.
import { parse, TraceQLError, validate } from "../traceql/index.ts";
import { printable } from "./printable.ts";
import { textWidth } from "./text_width.ts";

/** Around a place in a long line so many characters are shown. */
const beforeMax = 50;
const afterMax = 30;

/** What the language says against the query, with its place shown; null if it is one. */
export function problemOf(query: string): string | null {
  return problemIn(query, () => validate(parse(query)));
}

/** The same of a query for series, which needs a metrics function. */
export function metricsProblemOf(query: string): string | null {
  let hasFunction = true;
  const problem = problemIn(query, () => {
    const tree = parse(query);
    validate(tree);
    hasFunction = tree.metrics !== null;
  });
  if (problem !== null || hasFunction) return problem;
  return "the query has no metrics function, such as | rate() or | quantile_over_time(duration, .9)";
}

function problemIn(query: string, check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof TraceQLError)) throw error;
    const { line, column } = error.position;
    return `${printable(error.message)}\n${pointAt(query, line, column)}`;
  }
}

/** What a server said against the query, with the place shown if it named one. */
export function withPlace(message: string, query: string): string {
  const place = /line (\d{1,6}), col (\d{1,6})/.exec(message);
  const shown = place === null ? "" : pointAt(query, Number(place[1]), Number(place[2]));
  return shown === "" ? message : `${message}\n${shown}`;
}

/**
 * The line of the query and a caret below it; empty if there is no such line.
 *
 * @param column characters, from 1
 */
function pointAt(query: string, line: number, column: number): string {
  const text = query.split("\n")[line - 1];
  if (text === undefined) return "";
  const characters = [...text];
  const at = Math.min(column - 1, characters.length);
  const from = Math.max(0, at - beforeMax);
  const to = Math.min(characters.length, at + afterMax);
  const before = `${from > 0 ? "…" : ""}${printable(characters.slice(from, at).join(""))}`;
  const after = `${printable(characters.slice(at, to).join(""))}${to < characters.length ? "…" : ""}`;
  return `  ${before}${after}\n  ${" ".repeat(textWidth(before))}^`;
}
