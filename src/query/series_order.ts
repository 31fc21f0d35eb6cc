// The order of series in an answer: fewer labels first, then label by label by key and by value, whose protobuf text counts: numbers
// sort as texts.

import type { LabelValue } from "../search/labels.ts";
import type { Series } from "./metrics_types.ts";

export function inOrder(series: Series[]): Series[] {
  return series
    .map((one) => ({ one, texts: one.labels.flatMap(({ key, value }) => [escaped(key), valueText(value)]) }))
    .sort((a, b) => compareTexts(a.texts, b.texts))
    .map(({ one }) => one);
}

function compareTexts(a: string[], b: string[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [i, text] of a.entries()) if (text !== b[i]) return text < b[i]! ? -1 : 1;
  return 0;
}

/** As the text format of protobuf has an AnyValue: different for different values and types. All of it is ASCII. */
export function valueText(label: LabelValue): string {
  switch (label.type) {
    case "string":
      return `string_value:"${escaped(label.value)}"`;
    case "int":
      return `int_value:${label.value}`;
    case "double":
      return `double_value:${doubleText(label.value)}`;
    case "bool":
      return `bool_value:${label.value}`;
  }
}

const escapes: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\" };
const plainText = /^[ !#-[\]-~]*$/;

/** Bytes that are not printed stand as octal numbers. */
function escaped(text: string): string {
  if (plainText.test(text)) return text;
  return Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte);
    if (byte >= 0x20 && byte < 0x7f) return escapes[character] ?? character;
    return escapes[character] ?? `\\${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}

/** As Go prints a float64: the fewest digits, and an exponent, of two digits, below 1e-4 and from 1e6. */
function doubleText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const [digits, exponentText] = value.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return Object.is(value, -0) ? "-0" : String(value);
  return `${digits}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
