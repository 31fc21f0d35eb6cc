// Attributes of an answer in proto3's JSON.
import { type Attribute, type Value, valueDepthMax } from "./attribute.ts";
import { integer, list, object, text } from "./json_fields.ts";

/** @param value a list of key and value */
export function attributesOf(value: unknown, depth = 0): Attribute[] {
  return list(value).map((entry) => {
    const attribute = object(entry);
    return { key: text(attribute.key), value: readValue(attribute.value, depth) };
  });
}

function readValue(given: unknown, depth: number): Value {
  if (depth > valueDepthMax) return null;
  const any = object(given);
  if (typeof any.stringValue === "string") return any.stringValue;
  if (typeof any.boolValue === "boolean") return any.boolValue;
  if (any.intValue !== undefined) return integer(any.intValue);
  // What JSON has no number for comes as a string: "NaN", "Infinity".
  if (any.doubleValue !== undefined) return Number(any.doubleValue);
  if (typeof any.bytesValue === "string") return Buffer.from(any.bytesValue, "base64");
  if (any.arrayValue !== undefined) {
    return { list: list(object(any.arrayValue).values).map((item) => readValue(item, depth + 1)) };
  }
  if (any.kvlistValue !== undefined)
    return { pairs: attributesOf(object(any.kvlistValue).values, depth + 1) };
  return null;
}
