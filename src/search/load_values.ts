// Values of attributes in the tables that they belong to, loaded from the columns of a batch.
import { Field, QueryType, Table } from "../../wasm/query_ids.ts";
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import type { Attribute, IntrinsicName } from "../traceql/index.ts";
import { printedOf } from "./loads.ts";
import { tableOf } from "./subjects.ts";
import { type KeptVector, type Vector, type Vectors, valueBytes } from "./vectors.ts";

/** Bytes of vectors that are kept for the next time that they are asked for: a quarter of what an evaluation may have. */
const keptBytesMax = 16 << 20;

export class ValueLoader {
  /** Rows of each table. */
  readonly rows: Record<Table, number>;
  readonly #batch: SpanBatch;
  readonly #core: CoreExports;
  readonly #vectors: Vectors;
  /** In the order in which they were asked for last. */
  readonly #kept = new Map<string, KeptVector>();
  #keptBytes = 0;

  constructor(batch: SpanBatch, vectors: Vectors) {
    this.#batch = batch;
    this.#core = batch.core;
    this.#vectors = vectors;
    this.rows = {
      [Table.Span]: batch.spans,
      [Table.Event]: batch.core.eventCount!(),
      [Table.Link]: batch.core.linkCount!(),
    };
  }

  /** Values of an attribute in the table that it belongs to. */
  load(attribute: Attribute): Vector {
    const table = tableOf(attribute);
    const rows = this.rows[table];
    return this.remembered(printedOf(attribute), rows, () => {
      const at = this.#vectors.value(rows);
      if (attribute.kind === "intrinsic") this.#core.loadField!(at, fieldOf(attribute.name));
      else this.#loadAttribute(at, attribute.scope, attribute.name, table);
      return at;
    });
  }

  /** Loads once what is asked for several times, as long as there is room for it. */
  remembered(key: string, rows: number, load: () => number): Vector {
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      this.#makeRoom(valueBytes(rows));
      kept = { at: load(), rows, users: 0 };
      this.#keptBytes += valueBytes(rows);
    }
    kept.users++;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return { kind: "value", at: kept.at, kept };
  }

  /** Gives vectors back that nobody uses, those first that were not asked for the longest. */
  #makeRoom(bytes: number): void {
    for (const [key, { at, rows, users }] of this.#kept) {
      if (this.#keptBytes + bytes <= keptBytesMax) return;
      if (users > 0) continue;
      this.#kept.delete(key);
      this.#keptBytes -= valueBytes(rows);
      this.#vectors.giveValue(at, rows);
    }
  }

  #loadAttribute(at: number, scope: string, name: string, table: Table): void {
    const core = this.#core;
    const key = this.findString(encoder.encode(name));
    if (key < 0) {
      const isService = scope === "resource" && name === serviceName;
      core.fillValue!(at, this.rows[table], isService ? QueryType.String : QueryType.Nil, 0, 0);
      return;
    }
    switch (scope) {
      case "span":
        core.loadSpanAttr!(at, key, preferredTypeOf(name));
        return;
      case "resource":
        core.loadResourceAttr!(at, key, 0, QueryType.String);
        if (name === serviceName) core.fillNil!(at, this.rows[Table.Span], QueryType.String, 0, 0);
        return;
      case "instrumentation":
        core.loadScopeAttr!(at, key);
        return;
      case "none":
        core.loadSpanAttr!(at, key, preferredTypeOf(name));
        core.loadResourceAttr!(at, key, 1, QueryType.String);
        return;
      default:
        core.loadChildAttr!(at, table, key);
    }
  }

  /** Id of a string in the batch, or -1. */
  findString(bytes: Uint8Array): number {
    return this.#core.findString!(this.#batch.give(bytes), bytes.length);
  }
}

/**
 * Type of a span's attributes that comes before all others, where there are several with this key. In a block they have a column of
 * their own, if the attribute has one, and stand behind the others when they are read back: strings, and of one attribute ints.
 */
function preferredTypeOf(name: string): QueryType {
  return name === "http.status_code" ? QueryType.Int : QueryType.String;
}

/** Of resources the one attribute that is never nil: without it the service's name is empty. */
const serviceName = "service.name";

const encoder = new TextEncoder();

const fields: Partial<Record<IntrinsicName, Field>> = {
  duration: Field.Duration,
  name: Field.Name,
  status: Field.Status,
  statusMessage: Field.StatusMessage,
  kind: Field.Kind,
  "span:id": Field.SpanId,
  "span:parentID": Field.ParentId,
  "span:childCount": Field.ChildCount,
  traceDuration: Field.TraceDuration,
  rootName: Field.RootName,
  rootServiceName: Field.RootService,
  "trace:id": Field.TraceId,
  "event:name": Field.EventName,
  "event:timeSinceStart": Field.EventTime,
  "link:traceID": Field.LinkTraceId,
  "link:spanID": Field.LinkSpanId,
  "instrumentation:name": Field.ScopeName,
  "instrumentation:version": Field.ScopeVersion,
  nestedSetLeft: Field.NestedLeft,
  nestedSetRight: Field.NestedRight,
  nestedSetParent: Field.NestedParent,
};

function fieldOf(name: IntrinsicName): Field {
  const field = fields[name];
  if (field === undefined) throw new Error(`intrinsic ${name} has no field`);
  return field;
}
