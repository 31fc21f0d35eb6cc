// Labels of series, by the TraceQL oracle: their values, their text, and the order that they put series in.

import type { Label, LabelValue } from "../../src/search/labels.ts";
import { printDuration } from "../../src/traceql/index.ts";
import type { Scalar, Value } from "./oracle_values.ts";

export function textLabel(key: string, value: string): Label {
  return { key, value: { type: "string", value } };
}

/** Null for what is missing or an array, which can't be shown. */
export function labelValue(value: Value): LabelValue | null {
  return value.type === "nil" || value.type === "array" ? null : scalarLabel(value);
}

function scalarLabel(value: Scalar): LabelValue {
  switch (value.type) {
    case "int":
      return { type: "int", value: value.value };
    case "float":
      return { type: "double", value: value.value };
    case "bool":
      return { type: "bool", value: value.value };
    case "duration":
      return { type: "string", value: printDuration(value.value) };
    default:
      return { type: "string", value: value.value };
  }
}

/** As Go prints the message of protobuf. */
export function textOf({ type, value }: LabelValue): string {
  switch (type) {
    case "string":
      return `string_value:"${[...Buffer.from(value)].map(printedByte).join("")}"`;
    case "double":
      return `double_value:${printedDouble(value)}`;
    default:
      return `${type}_value:${value}`;
  }
}

function printedByte(byte: number): string {
  const character = String.fromCharCode(byte);
  const named = new Map([
    ["\n", "\\n"],
    ["\r", "\\r"],
    ["\t", "\\t"],
    ['"', '\\"'],
    ["\\", "\\\\"],
  ]).get(character);
  if (named !== undefined) return named;
  return byte < 32 || byte > 126 ? `\\${byte.toString(8).padStart(3, "0")}` : character;
}

function printedDouble(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "inf" : value < 0 ? "-inf" : "nan";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  return Object.is(value, -0) ? "-0" : String(value);
}

export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The order of series in an answer. */
export function compareLabels(a: Label[], b: Label[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = 0; i < a.length; i++) {
    const byKey = compareBytes(a[i]!.key, b[i]!.key);
    if (byKey !== 0) return byKey;
    const byValue = compareBytes(textOf(a[i]!.value), textOf(b[i]!.value));
    if (byValue !== 0) return byValue;
  }
  return 0;
}

/** The order in which topk() keeps series of the same value, bottomk() from its end. */
export function compareTies(a: Label[], b: Label[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const [one, other] = [a[i]!, b[i]!];
    if (one.key !== other.key) return compareBytes(one.key, other.key);
    if (one.value.type !== other.value.type) return compareBytes(one.value.type, other.value.type);
    if (one.value.value === other.value.value) continue;
    if (one.value.type === "string") return compareBytes(one.value.value, String(other.value.value));
    return one.value.value > other.value.value ? -1 : 1;
  }
  return a.length - b.length;
}
