// meta.json of a block: what a reader knows without opening the block. Written last, so that a block is seen whole.
import { crc32 } from "node:zlib";
import type { DedicatedColumn } from "./dedicated.ts";
import type { BlockVersion } from "./schema.ts";

export interface BlockMeta {
  /** A BlockVersion in blocks that we can read; other text in those that we cannot. */
  format: string;
  blockID: string;
  tenantID: string;
  /** RFC 3339, any offset, up to nanoseconds. */
  startTime: string;
  endTime: string;
  /** Traces, which are the rows of the file. */
  totalObjects: number;
  /** Length of data.parquet in bytes; 0 if the meta has none. */
  size: number;
  compactionLevel: number;
  indexPageSize: number;
  /** Row groups; Tempo may count one too many. */
  totalRecords: number;
  bloomShards: number;
  /** Length of the Parquet footer in bytes, without the trailing 8; 0 if not known. */
  footerSize: number;
  dedicatedColumns: DedicatedColumn[];
  /** 1 for our blocks; 0 for those of a Tempo 2.x ingester. */
  replicationFactor: number;
}

/**
 * What tells a block from another of the same id, made once more of other spans after it was deleted elsewhere. Of numbers alone: a
 * tenant index may write times in another form than meta.json.
 */
export function contentOf({ size, totalObjects, footerSize }: BlockMeta): number {
  return crc32(`${size} ${totalObjects} ${footerSize}`);
}

/** A meta that cannot be used. */
export class MetaError extends Error {
  override name = "MetaError";
}

export const blockVersions: readonly BlockVersion[] = ["vParquet3", "vParquet4", "vParquet5"];

/** Tells whether blocks of this format can be read, and merged. */
export function isBlockVersion(format: string): format is BlockVersion {
  return (blockVersions as readonly string[]).includes(format);
}

/**
 * Parses meta.json. Unknown keys are left out, absent numbers are 0.
 *
 * @throws MetaError if the text is no meta
 */
export function parseMeta(text: string): BlockMeta {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MetaError("block meta: not JSON", { cause });
  }
  return metaFrom(value);
}

/** Reads a meta from parsed JSON, as a tenant index holds it. */
export function metaFrom(value: unknown): BlockMeta {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new MetaError("block meta: not an object");
  }
  const fields = value as Record<string, unknown>;
  return {
    format: text(fields, "format"),
    blockID: text(fields, "blockID"),
    tenantID: text(fields, "tenantID"),
    startTime: text(fields, "startTime"),
    endTime: text(fields, "endTime"),
    totalObjects: count(fields, "totalObjects"),
    size: count(fields, "size"),
    compactionLevel: count(fields, "compactionLevel"),
    indexPageSize: count(fields, "indexPageSize"),
    totalRecords: count(fields, "totalRecords"),
    bloomShards: count(fields, "bloomShards"),
    footerSize: count(fields, "footerSize"),
    dedicatedColumns: parseDedicatedColumns(fields.dedicatedColumns),
    replicationFactor: count(fields, "replicationFactor"),
  };
}

/** Prints meta.json in Tempo's key order, leaving out what Tempo leaves out. */
export function printMeta(meta: BlockMeta): string {
  return JSON.stringify({
    format: meta.format,
    blockID: meta.blockID,
    tenantID: meta.tenantID,
    startTime: meta.startTime,
    endTime: meta.endTime,
    totalObjects: meta.totalObjects,
    size: meta.size || undefined,
    compactionLevel: meta.compactionLevel,
    indexPageSize: meta.indexPageSize,
    totalRecords: meta.totalRecords,
    bloomShards: meta.bloomShards,
    footerSize: meta.footerSize,
    dedicatedColumns: meta.dedicatedColumns.length ? shortDedicatedColumns(meta.dedicatedColumns) : undefined,
    replicationFactor: meta.replicationFactor || undefined,
  });
}

/** A dedicated column in the short keys of the meta. */
interface ShortColumn {
  s?: string;
  n?: string;
  t?: string;
  o?: string[];
}

/** Dedicated columns as meta.json and the tenant index hold them. */
export function shortDedicatedColumns(columns: readonly DedicatedColumn[]): ShortColumn[] {
  return columns.map(({ scope, name, type, options }) => ({
    s: scope === "span" ? undefined : scope,
    n: name,
    t: type === "string" ? undefined : type,
    o: options.length ? options : undefined,
  }));
}

/** Reads the short keys back; absent means none. */
export function parseDedicatedColumns(value: unknown): DedicatedColumn[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new MetaError("block meta: dedicatedColumns is no array");
  return value.map((entry: unknown) => {
    const { s: scope = "span", n: name, t: type = "string", o: options = [] } = (entry ?? {}) as ShortColumn;
    if (scope !== "span" && scope !== "resource" && scope !== "event") {
      throw new MetaError(`block meta: dedicated column scope ${JSON.stringify(scope)}`);
    }
    if (type !== "string" && type !== "int") {
      throw new MetaError(`block meta: dedicated column type ${JSON.stringify(type)}`);
    }
    if (typeof name !== "string" || name === "")
      throw new MetaError("block meta: dedicated column without a name");
    const known = options.filter((option) => option === "array" || option === "blob");
    return { scope, name, type, options: known };
  });
}

function text(fields: Record<string, unknown>, key: string): string {
  const value = fields[key] ?? "";
  if (typeof value !== "string") throw new MetaError(`block meta: ${key} is no string`);
  return value;
}

function count(fields: Record<string, unknown>, key: string): number {
  const value = fields[key] ?? 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new MetaError(`block meta: ${key} is no count`);
  }
  return value;
}
