// -config.expand-env: environment variables in the text of the file, before it is read as YAML. As in Tempo, only the
// braced form is a reference, so a lone $ in a password stays what it is; $${x} stands for the text ${x}.
import { ConfigError } from "./error.ts";

const referencesDeepMax = 20;

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Replaces `${NAME}` (empty when unset), `${NAME:-default}`, `${NAME:=default}` (also `-` and `=` without the colon:
 * only when unset). A default may hold references.
 *
 * @throws ConfigError with the line of a reference that is malformed
 */
export function expandEnvironment(text: string, environment: Environment, file: string): string {
  let at = 0;

  function fail(start: number, message: string): never {
    const before = text.slice(0, start).split("\n");
    const place = { line: before.length, column: before.at(-1)!.length + 1 };
    throw new ConfigError([{ file, ...place, key: "", message: `environment reference: ${message}` }]);
  }

  /** Reads on to the end of the text, or to the closing brace of a default. */
  function expand(depth: number): string {
    let out = "";
    while (at < text.length) {
      if (depth > 0 && text[at] === "}") return out;
      if (text.startsWith("$${", at)) {
        out += "${";
        at += 3;
      } else if (text.startsWith("${", at)) {
        out += reference(depth + 1);
      } else {
        out += text[at++];
      }
    }
    return out;
  }

  function reference(depth: number): string {
    const start = at;
    if (depth > referencesDeepMax) fail(start, "nested too deep");
    at += 2;
    const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(text.slice(at, at + 256))?.[0];
    if (name === undefined) fail(start, `expected a name after "\${"`);
    at += name.length;
    const value = environment[name];
    let fallback: string | undefined;
    const operator = /^:?[-=]/.exec(text.slice(at, at + 2))?.[0];
    if (operator !== undefined) {
      at += operator.length;
      fallback = expand(depth);
    }
    if (at >= text.length) fail(start, `"\${${name}" is not closed`);
    if (text[at] !== "}") {
      fail(
        start,
        `only \${${name}} and \${${name}:-default} are supported, found "${text[at]}" after the name`,
      );
    }
    at++;
    const missing = operator?.startsWith(":") ? value === undefined || value === "" : value === undefined;
    return (missing ? fallback : value) ?? "";
  }

  return expand(0);
}
