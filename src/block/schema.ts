// The Parquet schemas of Tempo's block versions, as trees: what a file's footer declares and which encoding Tempo
// gives to each leaf. The trees themselves stand in schema_v3.ts, schema_v4.ts and schema_v5.ts.
import type { DedicatedColumn } from "./dedicated.ts";
import { schemaV3 } from "./schema_v3.ts";
import { schemaV4 } from "./schema_v4.ts";
import { schemaV5 } from "./schema_v5.ts";

export type BlockVersion = "vParquet3" | "vParquet4" | "vParquet5";

/** A schema element: a group if it has children, else a leaf with a physical type. */
export interface SchemaNode {
  name: string;
  repetition: "required" | "optional" | "repeated";
  physical?: "boolean" | "int32" | "int64" | "double" | "byte_array";
  logical?: "string" | "i32" | "u32" | "i64" | "u64" | "list" | "map";
  /** How Tempo encodes the values of the leaf. */
  encoding?: "plain" | "dict" | "delta" | "delta_length";
  /** How Tempo compresses the leaf; a writer may use another codec. */
  codec?: "none" | "snappy" | "zstd";
  children?: SchemaNode[];
}

/** A column of the file, with what its place in the tree implies for its levels. */
export interface Leaf {
  index: number;
  /** Names from below the root, joined with dots. */
  path: string;
  node: SchemaNode;
  maxDefinition: number;
  maxRepetition: number;
}

/**
 * Gives the schema of a block. Only vParquet5's depends on the dedicated columns.
 *
 * @param dedicated the block's dedicated columns as its meta lists them
 */
export function blockSchema(version: BlockVersion, dedicated: DedicatedColumn[]): SchemaNode {
  if (version === "vParquet3") return schemaV3();
  if (version === "vParquet4") return schemaV4();
  return schemaV5(dedicated);
}

/** Lists the leaves of a schema in file order. */
export function leaves(schema: SchemaNode): Leaf[] {
  const found: Leaf[] = [];
  for (const child of schema.children ?? []) collect(child, "", 0, 0, found);
  return found;
}

function collect(
  node: SchemaNode,
  parent: string,
  definition: number,
  repetition: number,
  into: Leaf[],
): void {
  const path = parent === "" ? node.name : `${parent}.${node.name}`;
  const maxDefinition = node.repetition === "required" ? definition : definition + 1;
  const maxRepetition = node.repetition === "repeated" ? repetition + 1 : repetition;
  if (node.children) {
    for (const child of node.children) collect(child, path, maxDefinition, maxRepetition, into);
    return;
  }
  into.push({ index: into.length, path, node, maxDefinition, maxRepetition });
}
