// Builders for schema trees, in the shorthand of Tempo's struct tags: `str("Name", "snappy,dict")`.
import type { SchemaNode } from "./schema.ts";

type Repetition = SchemaNode["repetition"];

/** Encoding and codec as Tempo tags them; an absent encoding is the type's own (§6 of the format notes). */
export type Tag = "" | "snappy" | "dict" | "snappy,dict" | "delta" | "snappy,delta" | "zstd";

function leaf(
  name: string,
  physical: NonNullable<SchemaNode["physical"]>,
  logical: SchemaNode["logical"],
  tag: Tag,
  repetition: Repetition,
): SchemaNode {
  const plain = physical === "byte_array" ? "delta_length" : "plain";
  const encoding = tag.endsWith("dict") ? "dict" : tag.endsWith("delta") ? "delta" : plain;
  const codec = tag.startsWith("snappy") ? "snappy" : tag === "zstd" ? "zstd" : "none";
  return logical
    ? { name, repetition, physical, logical, encoding, codec }
    : { name, repetition, physical, encoding, codec };
}

export const bytes = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "byte_array", undefined, tag, repetition);
export const str = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "byte_array", "string", tag, repetition);
export const i32 = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "int32", "i32", tag, repetition);
export const u32 = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "int32", "u32", tag, repetition);
export const i64 = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "int64", "i64", tag, repetition);
export const u64 = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "int64", "u64", tag, repetition);
export const f64 = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "double", undefined, tag, repetition);
export const bool = (name: string, tag: Tag = "", repetition: Repetition = "required") =>
  leaf(name, "boolean", undefined, tag, repetition);

export function group(name: string, children: SchemaNode[], repetition: Repetition = "required"): SchemaNode {
  return { name, repetition, children };
}

/** A list in three levels: `name` (LIST) over a repeated `list` over `element`. */
export function list(name: string, element: SchemaNode[] | SchemaNode): SchemaNode {
  const inner = Array.isArray(element) ? group("element", element) : { ...element, name: "element" };
  return { name, repetition: "required", logical: "list", children: [group("list", [inner], "repeated")] };
}

/** String01 … StringNN, or Int01 … IntNN. */
export function numbered(
  prefix: "String" | "Int",
  count: number,
  column: (name: string) => SchemaNode,
): SchemaNode[] {
  return Array.from({ length: count }, (_, i) => column(`${prefix}${String(i + 1).padStart(2, "0")}`));
}
