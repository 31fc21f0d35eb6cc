// A head: the spans of one tenant in one shard that are in no block yet, as a span batch and as the WAL segment that it can be
// made again from.

import { ATTRIBUTE_SCOPES, BatchError, type SpanBatch } from "../batch/span_batch.ts";
import type { AttributeScope } from "../telemetry/ingest_metrics.ts";
import { log } from "../telemetry/log.ts";
import { parseUuid, uuidV5 } from "./hash.ts";
import { WalReader } from "./wal_reader.ts";
import type { SegmentIdentity } from "./wal_record.ts";
import type { WalSegment } from "./wal_segment.ts";

/** How often a batch is made again because the core gave up on a record, before the whole segment is set aside. */
const rebuildsMax = 8;

/** The id of the block that holds a segment's records from `firstRecord` on: the same each time that it is written. */
export function blockIdOf(segmentUuid: string, firstRecord: number): string {
  return uuidV5(parseUuid(segmentUuid), String(firstRecord));
}

export interface HeadSource {
  path: string;
  identity: SegmentIdentity;
  createdMs: number;
  /** Earlier records of the segment are in blocks already. */
  firstRecord: number;
}

export class Head {
  readonly source: HeadSource;
  readonly blockId: string;
  /** Takes the head's next records; null if it takes no more. */
  segment: WalSegment | null;
  /** The segment is of use beyond this head, because later records of it are not in a block yet. */
  keepsSegment = false;
  /** Spans that its block was written from. */
  spansCut = 0;
  readonly #createBatch: () => SpanBatch;
  readonly #attributeBytesMax: number;
  #batch: SpanBatch | null;
  #nextRecord: number;
  #setAside = new Set<number>();
  #rebuilds = 0;
  #bytes: number;
  #truncatedBefore: number[];

  /** @param batch empty */
  constructor(
    source: HeadSource,
    segment: WalSegment | null,
    batch: SpanBatch,
    createBatch: () => SpanBatch,
    attributeBytesMax: number,
  ) {
    this.source = source;
    this.segment = segment;
    this.blockId = blockIdOf(source.identity.uuid, source.firstRecord);
    this.#batch = batch;
    this.#createBatch = createBatch;
    this.#attributeBytesMax = attributeBytesMax;
    this.#bytes = batch.dataBytes;
    this.#nextRecord = source.firstRecord;
    this.#truncatedBefore = truncatedIn(batch);
  }

  get tenant(): string {
    return this.source.identity.tenant;
  }

  get batch(): SpanBatch {
    if (!this.#batch) throw new Error(`head of ${this.tenant} is gone`);
    return this.#batch;
  }

  /** Its spans are in a block, and its batch is gone. */
  get isReleased(): boolean {
    return this.#batch === null;
  }

  /** Hands its batch out for other use; the head itself is of no use any more. */
  release(): SpanBatch {
    const { batch } = this;
    this.#batch = null;
    return batch;
  }

  /** What the spans take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Records that are in the log but could not be decoded. */
  get recordsSetAside(): number {
    return this.#setAside.size;
  }

  /**
   * Adds the spans of a record. What can't be decoded is set aside, and stays in the log; the head goes on.
   *
   * @returns spans added
   */
  decode(number: number, payload: Uint8Array): number {
    this.#nextRecord = number + 1;
    let spans = 0;
    try {
      spans = this.batch.decode(payload, this.#attributeBytesMax);
    } catch (cause) {
      this.#refuse(number, cause);
      // A refusal leaves the batch as it was; anything else may have left it half changed.
      if (!(cause instanceof BatchError)) this.rebuild();
    }
    this.#bytes = this.batch.dataBytes;
    return spans;
  }

  /** Fills a fresh batch from the log, after the old one can't be trusted any more. */
  rebuild(): void {
    while (this.#rebuilds++ < rebuildsMax) {
      this.#batch = this.#createBatch();
      if (this.#fill()) {
        this.#truncatedBefore = truncatedIn(this.batch);
        this.#bytes = this.batch.dataBytes;
        return;
      }
    }
    this.setAsideAll();
  }

  /** Gives the head up: its spans are only in the log from now on, which is to be kept aside. */
  setAsideAll(): void {
    log.error("head given up, its WAL segment is kept aside", {
      tenant: this.tenant,
      segment: this.source.path,
    });
    this.#batch = this.#createBatch();
    this.#truncatedBefore = truncatedIn(this.batch);
    this.#bytes = this.batch.dataBytes;
    for (let number = this.source.firstRecord; number < this.#nextRecord; number++)
      this.#setAside.add(number);
  }

  /** False if the core gave up on another record, which is then set aside. */
  #fill(): boolean {
    const reader = new WalReader(this.source.path, this.source.identity);
    try {
      for (let record = reader.next(); record; record = reader.next()) {
        const { number, payload } = record;
        if (number >= this.#nextRecord) break;
        if (number < this.source.firstRecord || this.#setAside.has(number)) continue;
        try {
          this.batch.decode(payload, this.#attributeBytesMax);
        } catch (cause) {
          this.#refuse(number, cause);
          if (!(cause instanceof BatchError)) return false;
        }
      }
      return true;
    } finally {
      reader.close();
    }
  }

  #refuse(number: number, cause: unknown): void {
    this.#setAside.add(number);
    const error = cause instanceof Error ? cause : new Error(String(cause));
    const { path } = this.source;
    log.error("WAL record set aside: it can't be decoded", {
      tenant: this.tenant,
      segment: path,
      record: number,
      error,
    });
  }

  /** Attributes cut since the last time this was asked. */
  takeTruncated(): Partial<Record<AttributeScope, number>> {
    const now = truncatedIn(this.batch);
    const taken: Partial<Record<AttributeScope, number>> = {};
    for (const [i, scope] of ATTRIBUTE_SCOPES.entries()) {
      const count = now[i]! - this.#truncatedBefore[i]!;
      if (count > 0) taken[scope === "instrumentation" ? "scope" : scope] = count;
    }
    this.#truncatedBefore = now;
    return taken;
  }
}

function truncatedIn(batch: SpanBatch): number[] {
  return ATTRIBUTE_SCOPES.map((scope) => batch.truncated(scope));
}
