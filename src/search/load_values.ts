// Values of attributes in the tables that they belong to, loaded from the columns of a batch.
import { Field, QueryType, Table } from "../../wasm/query_ids.ts";
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import type { Attribute, IntrinsicName } from "../traceql/index.ts";
import { printedOf } from "./loads.ts";
import { tableOf } from "./subjects.ts";
import type { Vector, Vectors } from "./vectors.ts";

/** Vectors that are kept for the next time that they are asked for. */
const vectorsKeptMax = 16;

export class ValueLoader {
  /** Rows of each table. */
  readonly rows: Record<Table, number>;
  readonly #batch: SpanBatch;
  readonly #core: CoreExports;
  readonly #vectors: Vectors;
  readonly #kept = new Map<string, number>();

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
    return this.remembered(printedOf(attribute), () => {
      const table = tableOf(attribute);
      const at = this.#vectors.value(this.rows[table]);
      if (attribute.kind === "intrinsic") this.#core.loadField!(at, fieldOf(attribute.name));
      else this.#loadAttribute(at, attribute.scope, attribute.name, table);
      return at;
    });
  }

  /** Loads once what is asked for several times, as long as that is not too much. */
  remembered(key: string, load: () => number): Vector {
    const known = this.#kept.get(key);
    if (known !== undefined) return { kind: "value", at: known, kept: true };
    const at = load();
    if (this.#kept.size >= vectorsKeptMax) return { kind: "value", at };
    this.#kept.set(key, at);
    return { kind: "value", at, kept: true };
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
        core.loadSpanAttr!(at, key);
        return;
      case "resource":
        core.loadResourceAttr!(at, key, 0);
        if (name === serviceName) core.fillNil!(at, this.rows[Table.Span], QueryType.String, 0, 0);
        return;
      case "instrumentation":
        core.loadScopeAttr!(at, key);
        return;
      case "none":
        core.loadSpanAttr!(at, key);
        core.loadResourceAttr!(at, key, 1);
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
