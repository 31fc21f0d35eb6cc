// Attributes, whichever form they arrived in, and how they are shown: as TraceQL would take them, mostly.
import { printable } from "./printable.ts";

export interface Attribute {
  key: string;
  value: Value;
}

/** OTLP's AnyValue; null is one without a value. */
export type Value =
  | string
  | bigint
  | number
  | boolean
  | Uint8Array
  | { list: Value[] }
  | { pairs: Attribute[] }
  | null;

/** How deep values may nest. What is deeper is read as null. */
export const valueDepthMax = 20;

/** `key=value`. */
export function attributeText({ key, value }: Attribute): string {
  return `${printable(key)}=${valueText(value)}`;
}

export function valueText(value: Value): string {
  if (value === null) return "nil";
  if (typeof value === "string") return `"${printable(value.replace(/["\\]/g, "\\$&"))}"`;
  if (typeof value !== "object") return String(value);
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString("hex")}`;
  if ("list" in value) return `[${value.list.map(valueText).join(", ")}]`;
  return `{${value.pairs.map(attributeText).join(", ")}}`;
}
