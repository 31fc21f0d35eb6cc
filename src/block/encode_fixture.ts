// For tests of the writer: the inputs of the golden blocks, a store in memory, and readers of what was written that share no code
// with it (hyparquet, and a page walker of a few lines).
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, gunzipSync, zstdDecompressSync } from "node:zlib";
import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { SpanBatch } from "../batch/span_batch.ts";
import { type ObjectWriter, StoreNotFound } from "../store/store.ts";
import { type DedicatedColumn, defaultDedicatedColumns } from "./dedicated.ts";
import { type BlockMeta, parseMeta } from "./meta.ts";
import { type BlockVersion, leaves, type SchemaNode } from "./schema.ts";
import { type BlockStore, type BlockWriteOptions, writeBlock } from "./write.ts";

export const fixtures = join(import.meta.dir, "../../../shared/fixtures/tempo-blocks");
export const haveFixtures = existsSync(fixtures);
if (!haveFixtures) console.warn(`skipping tests against golden blocks: ${fixtures} is missing`);

/** OTLP requests of a golden tenant, in the order in which Tempo got them. */
export function inputs(tenant: string): Uint8Array[] {
  const folder = join(fixtures, "inputs", tenant);
  return readdirSync(folder)
    .filter((name) => name.includes(".otlp.pb"))
    .sort()
    .map((name) => {
      const bytes = readFileSync(join(folder, name));
      return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    });
}

/** The dedicated columns that a golden tenant was configured with. */
export function dedicatedOf(tenant: string): readonly DedicatedColumn[] {
  if (tenant !== "dedicated") return defaultDedicatedColumns;
  const column = (
    scope: DedicatedColumn["scope"],
    name: string,
    type: DedicatedColumn["type"] = "string",
    options: DedicatedColumn["options"] = [],
  ): DedicatedColumn => ({ scope, name, type, options });
  return [
    column("resource", "team"),
    column("resource", "shard", "int"),
    column("resource", "zone", "string", ["array"]),
    column("span", "db.query", "string", ["blob"]),
    column("span", "tenant.name"),
    column("span", "labels", "string", ["array"]),
    column("span", "attempt", "int"),
    column("span", "codes", "int", ["array"]),
    column("span", "http.method"),
    column("event", "exception.type"),
    column("event", "exception.stacktrace", "string", ["blob"]),
    column("event", "code", "int"),
  ];
}

/** Folders of a tenant's golden blocks. */
export function goldenBlocks(tenant: string, version: BlockVersion = "vParquet4"): string[] {
  return globSync(`${version}/${tenant}/*/data.parquet`, { cwd: fixtures })
    .sort()
    .map((path) => join(fixtures, path, ".."));
}

/** The meta of a golden block; its inputs' have been compacted. */
export function goldenMeta(folder: string): BlockMeta {
  const compacted = join(folder, "meta.compacted.json");
  return parseMeta(readFileSync(existsSync(compacted) ? compacted : join(folder, "meta.json"), "utf8"));
}

export function batchOf(requests: Uint8Array[]): SpanBatch {
  const batch = SpanBatch.create();
  for (const request of requests) batch.decode(request, 2048);
  return batch;
}

export class MemoryStore implements BlockStore {
  readonly objects = new Map<string, Uint8Array>();
  /** Paths in the order in which objects became visible. */
  readonly order: string[] = [];

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.objects.set(path, bytes.slice());
    this.order.push(path);
  }
  async create(path: string): Promise<ObjectWriter> {
    const parts: Uint8Array[] = [];
    return {
      write: (bytes) => void parts.push(bytes.slice()),
      close: () => this.write(path, Buffer.concat(parts)),
      abort: async () => {},
    };
  }
  async size(path: string): Promise<number> {
    const bytes = this.objects.get(path);
    if (!bytes) throw new StoreNotFound(path);
    return bytes.length;
  }
}

export const defaultOptions: BlockWriteOptions = {
  version: "vParquet4",
  tenant: "t",
  blockId: "5f0b1b3c-5a55-4f0a-8d3c-000000000001",
  dedicatedColumns: defaultDedicatedColumns,
  rowGroupBytesMax: 100_000_000,
  pageBytesMax: 131_072,
  zstdLevel: 1,
  bloomFalsePositive: 0.01,
  bloomShardBytes: 102_400,
  replicationFactor: 1,
};

export interface WrittenBlock {
  meta: BlockMeta;
  data: Uint8Array;
  store: MemoryStore;
  object(name: string): Uint8Array;
}

export async function write(
  batch: SpanBatch,
  options: Partial<BlockWriteOptions> = {},
): Promise<WrittenBlock> {
  const store = new MemoryStore();
  const all = { ...defaultOptions, ...options };
  const meta = await writeBlock(batch, store, all, async () => {});
  const object = (name: string) => store.objects.get(`${all.tenant}/${all.blockId}/${name}`)!;
  return { meta, data: object("data.parquet"), store, object };
}

// biome-ignore lint/suspicious/noExplicitAny: rows as hyparquet gives them
export type Row = any;

function arrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer;
}

/** Rows as hyparquet reads them: byte arrays without a logical type stay bytes. */
export function readRows(data: Uint8Array): Promise<Row[]> {
  return parquetReadObjects({ file: arrayBuffer(data), compressors, utf8: false }) as Promise<Row[]>;
}

export function readMetadata(data: Uint8Array): ReturnType<typeof parquetMetadata> {
  return parquetMetadata(arrayBuffer(data));
}

/**
 * Takes rows apart into columns: per leaf its values in file order, and before them the length of every list that leads to them.
 *
 * @returns by leaf index
 */
export function columnsOf(schema: SchemaNode, rows: Row[]): unknown[][] {
  const columns: unknown[][] = leaves(schema).map(() => []);
  for (const row of rows) collect(schema, row, columns, 0);
  return columns;
}

/** Appends the leaves of a group, which begin at index `first`. Returns the index behind them. */
function collect(node: SchemaNode, value: Row, columns: unknown[][], first: number): number {
  if (node.logical === "list") return collectList(node.children![0]!.children![0]!, value, columns, first);
  if (node.logical === "map") {
    // hyparquet makes an object of a map; the order of its entries is open.
    const entries = Object.entries(value as Row).sort(([a], [b]) => (a < b ? -1 : 1));
    const elements = entries.map(([key, stats]) => ({ key, value: stats }));
    return collectList(node.children![0]!, elements, columns, first);
  }
  // hyparquet has null for a bare list without elements.
  if (node.repetition === "repeated") return collectList(node, value ?? [], columns, first);
  if (!node.children) {
    columns[first]!.push(value ?? null);
    return first + 1;
  }
  let next = first;
  for (const child of node.children) next = collect(child, value[child.name], columns, next);
  return next;
}

function collectList(repeated: SchemaNode, values: Row[], columns: unknown[][], first: number): number {
  const element: SchemaNode = { ...repeated, repetition: "required" };
  const end = first + leafCount(element);
  for (let i = first; i < end; i++) columns[i]!.push(values.length);
  for (const value of values) collect(element, value, columns, first);
  return end;
}

function leafCount(node: SchemaNode): number {
  return node.children ? node.children.reduce((sum, child) => sum + leafCount(child), 0) : 1;
}

/** A page as it stands in the file. */
export interface WalkedPage {
  type: number;
  slots: number;
  encoding: number;
  crcRight: boolean;
  body: Uint8Array;
}

/** Walks the pages of a chunk. */
export function walkPages(data: Uint8Array, start: number, bytes: number): WalkedPage[] {
  const pages: WalkedPage[] = [];
  for (let position = start; position < start + bytes; ) {
    const header = readStruct(data, position);
    const fields = header.fields;
    const length = fields.get(3) as number;
    const compressed = data.subarray(header.end, header.end + length);
    const page = (fields.get(5) ?? fields.get(7)) as Map<number, number>;
    const body = zstdDecompressSync(compressed);
    if (body.length !== fields.get(2)) throw new Error("page: wrong uncompressed size");
    pages.push({
      type: fields.get(1) as number,
      slots: page.get(1)!,
      encoding: page.get(2)!,
      crcRight: crc32(compressed) === (fields.get(4) as number) >>> 0,
      body,
    });
    position = header.end + length;
  }
  return pages;
}

/** Bounds of a page, plain-encoded, as the column index in the file has them; null for a page without values. */
export interface WalkedBounds {
  min: Uint8Array;
  max: Uint8Array;
}

/** Reads a column index. */
export function readBounds(data: Uint8Array, offset: number): (WalkedBounds | null)[] {
  const { fields } = readStruct(data, offset);
  const nullPages = fields.get(1) as boolean[];
  const min = fields.get(2) as Uint8Array[];
  const max = fields.get(3) as Uint8Array[];
  return nullPages.map((isNull, i) => (isNull ? null : { min: min[i]!, max: max[i]! }));
}

/** A struct in Thrift's compact protocol. */
export function readStruct(data: Uint8Array, start: number): { fields: Map<number, unknown>; end: number } {
  const fields = new Map<number, unknown>();
  let position = start;
  let id = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = data[position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const value = (type: number): unknown => {
    if (type === 5 || type === 6) {
      const zigzag = varint();
      return zigzag % 2 ? -(zigzag + 1) / 2 : zigzag / 2;
    }
    if (type === 8) {
      const length = varint();
      position += length;
      return data.slice(position - length, position);
    }
    if (type === 9) {
      const head = data[position++]!;
      const count = head >> 4 === 15 ? varint() : head >> 4;
      // Booleans in a list are a byte each: 1 is true.
      return Array.from({ length: count }, () =>
        (head & 15) < 3 ? data[position++] === 1 : value(head & 15),
      );
    }
    if (type !== 12) throw new Error(`thrift: type ${type}`);
    const inner = readStruct(data, position);
    position = inner.end;
    return inner.fields;
  };
  for (;;) {
    const head = data[position++]!;
    if (head === 0) return { fields, end: position };
    id += head >> 4;
    fields.set(id, value(head & 15));
  }
}
