// The `tags` parameter of a search: pairs of key and value as logfmt has them, `a=b c="d e"`.
import { InvalidRequest } from "./query_errors.ts";

const pair = /([^\s="]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s"=]*)))?/sy;
const escapes: Record<string, string> = {
  n: "\n",
  r: "\r",
  t: "\t",
  b: "\b",
  f: "\f",
  '"': '"',
  "\\": "\\",
  "/": "/",
};

/**
 * @returns values by key; a key without a value has an empty one
 * @throws InvalidRequest
 */
export function parseTags(text: string): Map<string, string> {
  const tags = new Map<string, string>();
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    pair.lastIndex = at;
    const found = pair.exec(text);
    if (found === null) throw syntaxError(`unexpected ${JSON.stringify(text[at])}`, at);
    const [whole, key, inQuotes, plain] = found;
    const value = inQuotes === undefined ? plain : unquoted(inQuotes, at);
    at += whole.length;
    const next = text[at];
    if (next === '"' && text[at - 1] === "=") throw syntaxError("unterminated quoted value", at);
    if (next === '"' || next === "=") throw syntaxError(`unexpected ${JSON.stringify(next)}`, at);
    if (tags.has(key!)) throw new InvalidRequest(`invalid tags: tag ${key} has been set twice`);
    tags.set(key!, value ?? "");
  }
  return tags;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (/\s/.test(text.charAt(at))) at++;
  return at;
}

/** Escapes are those of JSON. */
function unquoted(text: string, at: number): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code?: string, letter?: string) => {
    const character = code === undefined ? escapes[letter!] : String.fromCharCode(Number.parseInt(code, 16));
    if (character === undefined) throw syntaxError("invalid quoted value", at);
    return character;
  });
}

/** @param at from 0; the message counts from 1 */
function syntaxError(message: string, at: number): InvalidRequest {
  return new InvalidRequest(`invalid tags: ${message} at pos ${at + 1}`);
}
