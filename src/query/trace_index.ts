// Where the spans of a trace lie in the bytes of its sources, by column: enough to de-duplicate, order, repair and
// copy them without decoding one.
import { Buffer } from "node:buffer";
import { SpanIdTable } from "./span_id_table.ts";
import { Fields, framedSize, u32be, wireBytes, wireFixed64, wireVarint } from "./wire.ts";

/** A resource or a scope as it lies in a source: its message and the schema URL beside it. */
export interface Envelope {
  source: number;
  /** Payload of the resource or scope message; start = -1 if the sender left it out. */
  start: number;
  end: number;
  /** Payload of the schema URL. */
  schemaStart: number;
  schemaEnd: number;
}

export interface ResourceGroup extends Envelope {
  scopes: ScopeGroup[];
}

export interface ScopeGroup extends Envelope {
  /** Position in `TraceIndex.scopes`. */
  number: number;
}

export interface TraceIndexOptions {
  /** Bytes of spans, scopes and resources at which to stop, after the span that crosses it. 0 = no limit. */
  bytesMax: number;
  /** Keep the first span of each (span id, kind), and merge resources and scopes that are equal byte for byte. */
  merge: boolean;
}

const spansGuess = 256;

export class TraceIndex {
  /** Views on the sources: a Buffer copies a range without a view of its own. */
  readonly sources: Buffer[];
  readonly resources: ResourceGroup[] = [];
  readonly scopes: ScopeGroup[] = [];
  spans = 0;
  /** Bytes of the spans kept and of their scopes and resources. */
  bytes = 0;
  /** The limit was crossed: what follows was not looked at. */
  overLimit = false;
  /** A resource, scope or status that readers rely on is missing somewhere. */
  incomplete = false;
  /** Earliest start and latest end of the spans that have any, in nanoseconds to the precision of a double. */
  startNanos = Number.POSITIVE_INFINITY;
  endNanos = 0;
  servers = 0;
  clients = 0;

  // By span.
  source = new Uint32Array(spansGuess);
  scope = new Uint32Array(spansGuess);
  start = new Uint32Array(spansGuess);
  end = new Uint32Array(spansGuess);
  /** Offset of the 8 id bytes, 0 where the id is not of 8 bytes (such spans are never taken as equal). */
  idAt = new Uint32Array(spansGuess);
  idHi = new Uint32Array(spansGuess);
  idLo = new Uint32Array(spansGuess);
  /** Offset of the 8 bytes of the parent's id, 0 where there is none. */
  parentAt = new Uint32Array(spansGuess);
  kind = new Int32Array(spansGuess);
  startHi = new Uint32Array(spansGuess);
  startLo = new Uint32Array(spansGuess);
  hasStatus = new Uint8Array(spansGuess);

  private readonly tokens: SpanIdTable | null;
  private readonly resourceByBytes = new Map<string, ResourceGroup>();
  private readonly scopeByBytes = new Map<ResourceGroup, Map<string, ScopeGroup>>();
  private readonly outer = new Fields(empty);
  private readonly inner = new Fields(empty);
  private readonly scopeFields = new Fields(empty);
  private readonly spanFields = new Fields(empty);

  /**
   * @param sources OTLP TracesData, each
   * @throws WireError if one is malformed down to the level of a span's own fields
   */
  constructor(
    sources: Uint8Array[],
    private readonly options: TraceIndexOptions,
  ) {
    this.sources = sources.map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
    this.tokens = options.merge ? new SpanIdTable() : null;
    for (let source = 0; source < sources.length && !this.overLimit; source++) {
      const bytes = sources[source]!;
      const fields = new Fields(bytes);
      while (!this.overLimit && fields.next()) {
        if (fields.number !== 1) continue;
        fields.expect(wireBytes);
        this.addResourceSpans(source, fields.start, fields.end);
      }
    }
  }

  private addResourceSpans(source: number, start: number, end: number): void {
    const bytes = this.sources[source]!;
    const fields = this.outer;
    const envelope = readEnvelope(fields, bytes, source, start, end);
    let resource: ResourceGroup | null = this.options.merge ? null : this.openResource(envelope);
    fields.over(bytes, start, end);
    while (!this.overLimit && fields.next()) {
      if (fields.number !== 2) continue;
      const scopeStart = fields.start;
      const scopeEnd = fields.end;
      const scopeEnvelope = readEnvelope(this.inner, bytes, source, scopeStart, scopeEnd);
      let scope: ScopeGroup | null = null;
      if (!this.options.merge) scope = this.openScope(resource!, scopeEnvelope);
      const spans = this.scopeFields;
      spans.over(bytes, scopeStart, scopeEnd);
      while (!this.overLimit && spans.next()) {
        if (spans.number !== 2) continue;
        if (!this.readSpan(bytes, source, spans.start, spans.end)) continue;
        // Opened by the first span that is kept: what is left without spans is left out.
        resource ??= this.openResource(envelope);
        scope ??= this.openScope(resource, scopeEnvelope);
        this.scope[this.spans] = scope.number;
        this.spans++;
        this.bytes += framedSize(spans.end - spans.start);
        this.overLimit = this.options.bytesMax > 0 && this.bytes > this.options.bytesMax;
      }
    }
  }

  /** Reads the span into the columns at `this.spans`. False if it repeats one that is there. */
  private readSpan(bytes: Uint8Array, source: number, start: number, end: number): boolean {
    const at = this.spans;
    if (at === this.start.length) this.grow();
    let idAt = 0;
    let parentAt = 0;
    let kind = 0;
    let startHi = 0;
    let startLo = 0;
    let endNanos = 0;
    let hasStatus = 0;
    const fields = this.spanFields;
    fields.over(bytes, start, end);
    while (fields.next()) {
      switch (fields.number) {
        case 2:
          fields.expect(wireBytes);
          idAt = fields.end - fields.start === 8 ? fields.start : 0;
          break;
        case 4:
          fields.expect(wireBytes);
          parentAt = fields.end - fields.start === 8 ? fields.start : 0;
          break;
        case 6:
          fields.expect(wireVarint);
          kind = fields.lo | 0;
          break;
        case 7:
          fields.expect(wireFixed64);
          startHi = fields.hi;
          startLo = fields.lo;
          break;
        case 8:
          fields.expect(wireFixed64);
          endNanos = fields.hi * 0x100000000 + fields.lo;
          break;
        case 15:
          fields.expect(wireBytes);
          hasStatus = 1;
          break;
      }
    }
    const idHi = idAt === 0 ? 0 : u32be(bytes, idAt);
    const idLo = idAt === 0 ? 0 : u32be(bytes, idAt + 4);
    if (this.tokens !== null && idAt !== 0) {
      this.tokens.slotOf(idHi, idLo, kind);
      if (!this.tokens.inserted) return false;
    }
    this.source[at] = source;
    this.start[at] = start;
    this.end[at] = end;
    this.idAt[at] = idAt;
    this.idHi[at] = idHi;
    this.idLo[at] = idLo;
    this.parentAt[at] = parentAt;
    this.kind[at] = kind;
    this.startHi[at] = startHi;
    this.startLo[at] = startLo;
    this.hasStatus[at] = hasStatus;
    if (hasStatus === 0) this.incomplete = true;
    if (kind === kindServer) this.servers++;
    else if (kind === kindClient) this.clients++;
    const startNanos = startHi * 0x100000000 + startLo;
    if (startNanos !== 0) {
      this.startNanos = Math.min(this.startNanos, startNanos);
      this.endNanos = Math.max(this.endNanos, startNanos, endNanos);
    }
    return true;
  }

  private openResource(envelope: Envelope): ResourceGroup {
    const key = this.options.merge ? this.keyOf(envelope) : "";
    const known = this.resourceByBytes.get(key);
    if (this.options.merge && known !== undefined) return known;
    const resource: ResourceGroup = { ...envelope, scopes: [] };
    this.resources.push(resource);
    if (this.options.merge) this.resourceByBytes.set(key, resource);
    this.opened(envelope);
    return resource;
  }

  private openScope(resource: ResourceGroup, envelope: Envelope): ScopeGroup {
    const byBytes = this.scopeByBytes.get(resource) ?? new Map<string, ScopeGroup>();
    const key = this.options.merge ? this.keyOf(envelope) : "";
    const known = byBytes.get(key);
    if (this.options.merge && known !== undefined) return known;
    const scope: ScopeGroup = { ...envelope, number: this.scopes.length };
    this.scopes.push(scope);
    resource.scopes.push(scope);
    if (this.options.merge) this.scopeByBytes.set(resource, byBytes.set(key, scope));
    this.opened(envelope);
    return scope;
  }

  private opened(envelope: Envelope): void {
    if (envelope.start < 0) this.incomplete = true;
    this.bytes += envelopeSize(envelope);
  }

  private keyOf(envelope: Envelope): string {
    const bytes = this.sources[envelope.source]!;
    const schema = bytes.toString("latin1", envelope.schemaStart, envelope.schemaEnd);
    const message = envelope.start < 0 ? "" : bytes.toString("latin1", envelope.start, envelope.end);
    return `${schema.length}:${schema}${message}`;
  }

  private grow(): void {
    const length = this.start.length * 2;
    this.source = grown(this.source, new Uint32Array(length));
    this.scope = grown(this.scope, new Uint32Array(length));
    this.start = grown(this.start, new Uint32Array(length));
    this.end = grown(this.end, new Uint32Array(length));
    this.idAt = grown(this.idAt, new Uint32Array(length));
    this.idHi = grown(this.idHi, new Uint32Array(length));
    this.idLo = grown(this.idLo, new Uint32Array(length));
    this.parentAt = grown(this.parentAt, new Uint32Array(length));
    this.kind = grown(this.kind, new Int32Array(length));
    this.startHi = grown(this.startHi, new Uint32Array(length));
    this.startLo = grown(this.startLo, new Uint32Array(length));
    this.hasStatus = grown(this.hasStatus, new Uint8Array(length));
  }
}

/** OTLP span kinds. */
export const kindServer = 2;
export const kindClient = 3;

/** Bytes of the message and schema URL of an envelope, with the tag and length of each. */
export function envelopeSize(envelope: Envelope): number {
  const schema = envelope.schemaEnd - envelope.schemaStart;
  const message = envelope.start < 0 ? 0 : envelope.end - envelope.start;
  return framedSize(message) + (schema > 0 ? framedSize(schema) : 0);
}

const empty = new Uint8Array(0);

function readEnvelope(
  fields: Fields,
  bytes: Uint8Array,
  source: number,
  start: number,
  end: number,
): Envelope {
  const envelope: Envelope = { source, start: -1, end: -1, schemaStart: 0, schemaEnd: 0 };
  fields.over(bytes, start, end);
  while (fields.next()) {
    if (fields.number > 3) continue;
    fields.expect(wireBytes);
    if (fields.number === 1) {
      envelope.start = fields.start;
      envelope.end = fields.end;
    } else if (fields.number === 3) {
      envelope.schemaStart = fields.start;
      envelope.schemaEnd = fields.end;
    }
  }
  return envelope;
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
