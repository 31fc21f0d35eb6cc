// Names of attributes: nearly any character belongs to one, arithmetic and colons included, and quotes bring in the rest.

import type { LexProblem } from "./lex_string.ts";

/** Also white space of any kind that Unicode has. */
const terminators: ReadonlySet<string> = new Set("{}()=~!<>&|^, \t\n\v\f\r");
const wideSpace = /[\x85\p{Z}]/u;

function endsName(character: string): boolean {
  return terminators.has(character) || (character > "\x7f" && wideSpace.test(character));
}

/** The name at `from`, directly behind its scope. Parts in quotes are joined to the rest. */
export function lexName(text: string, from: number): { name: string; end: number } | LexProblem {
  const parts: string[] = [];
  let at = from;
  let run = from;
  while (at < text.length && !endsName(text[at]!)) {
    if (text[at] !== '"') {
      at++;
      continue;
    }
    parts.push(text.slice(run, at));
    const quoted = lexQuotedPart(text, at);
    if ("problem" in quoted) return quoted;
    parts.push(quoted.name);
    at = quoted.end;
    run = at;
  }
  if (at === from) return { problem: "attribute name is missing", at };
  parts.push(text.slice(run, at));
  return { name: parts.join(""), end: at };
}

function lexQuotedPart(text: string, from: number): { name: string; end: number } | LexProblem {
  const parts: string[] = [];
  let run = from + 1;
  for (let at = run; at < text.length; at++) {
    if (text[at] === '"') {
      parts.push(text.slice(run, at));
      return { name: parts.join(""), end: at + 1 };
    }
    if (text[at] !== "\\") continue;
    const next = text[at + 1];
    if (next !== '"' && next !== "\\") {
      return { problem: 'a quoted attribute name knows the escapes \\" and \\\\ only', at };
    }
    parts.push(text.slice(run, at));
    run = at + 1;
    at++;
  }
  return { problem: 'attribute name has no closing "', at: from };
}

/** Whether the name must stand in quotes behind a scope. */
export function needsQuotes(name: string): boolean {
  if (name === "") return true;
  for (const character of name) if (character === '"' || endsName(character)) return true;
  return false;
}

export function quoteName(name: string): string {
  return `"${name.replace(/["\\]/g, "\\$&")}"`;
}
