// Literals to text.

import type { Literal } from "./ast.ts";
import { printDuration } from "./duration.ts";

const minInt = -(2n ** 63n);

export function printLiteral(literal: Literal): string {
  switch (literal.type) {
    case "int":
      // Its digits are one more than an int has.
      return literal.value === minInt ? "minInt" : String(literal.value);
    case "float":
      return printFloat(literal.value);
    case "duration":
      return printDuration(literal.value);
    case "string":
      return printString(literal.value);
    default:
      return String(literal.value);
  }
}

/** With a point or an exponent always, so that it stays a float. */
function printFloat(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function printString(text: string): string {
  if (!text.includes("`")) return `\`${text}\``;
  const escaped = text.replace(/["\\\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`));
  return `"${escaped}"`;
}
