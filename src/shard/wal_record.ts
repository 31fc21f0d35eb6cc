// The bytes of a WAL segment: a segment header, then records, each a record header and a plain OTLP
// ExportTraceServiceRequest. All numbers are little-endian.

import { parseUuid, xxh64Bytes, xxh64Of } from "./hash.ts";

/** Which segment some bytes belong to: told by the file's path, repeated in its header. */
export interface SegmentIdentity {
  tenant: string;
  /** Orders the segments of a tenant in one shard. */
  sequence: number;
  uuid: string;
}

// Segment header: magic (8 bytes), UUID (16), creation time in ms (8, f64), length of the tenant (2), tenant, zeros,
// XXH64 of all that.
const segmentMagic = new TextEncoder().encode("RUBWAL01");
export const segmentHeaderBytes = 256;
const segmentHashOffset = segmentHeaderBytes - xxh64Bytes;
const tenantOffset = 34;

// Record header: magic (4), number of the record in its segment (4), length of the payload (4), kind (4), XXH64 of the
// payload (8), XXH64 of the segment's UUID and the header so far (8). The UUID makes a header impossible to forge
// inside a payload, and the header's own hash makes its length safe to believe when the payload is damaged.
export const recordMagic = new Uint8Array([0xf7, 0x52, 0x57, 0x52]);
export const recordHeaderBytes = 32;
const kindOtlp = 1;

export interface RecordHeader {
  number: number;
  length: number;
  payloadHash: Uint8Array;
}

export function printSegmentHeader(identity: SegmentIdentity, createdMs: number): Uint8Array {
  const header = new Uint8Array(segmentHeaderBytes);
  const tenant = new TextEncoder().encode(identity.tenant);
  const view = new DataView(header.buffer);
  header.set(segmentMagic);
  header.set(parseUuid(identity.uuid), 8);
  view.setFloat64(24, createdMs, true);
  view.setUint16(32, tenant.length, true);
  header.set(tenant, tenantOffset);
  header.set(xxh64Of(header.subarray(0, segmentHashOffset)), segmentHashOffset);
  return header;
}

/** Time of creation in ms; null if this isn't the whole and undamaged header of that segment. */
export function parseSegmentHeader(header: Uint8Array, identity: SegmentIdentity): number | null {
  if (header.length < segmentHeaderBytes) return null;
  const createdMs = new DataView(header.buffer, header.byteOffset).getFloat64(24, true);
  return equal(header, printSegmentHeader(identity, createdMs), segmentHeaderBytes) ? createdMs : null;
}

/** Seals and checks the record headers of one segment. */
export class RecordCodec {
  // UUID and header lie side by side, so that they are hashed in one go.
  readonly #scratch = new Uint8Array(16 + recordHeaderBytes);
  readonly #header = this.#scratch.subarray(16);
  readonly #view = new DataView(this.#scratch.buffer, 16);
  readonly #hashed = this.#scratch.subarray(0, 16 + 24);

  constructor(uuid: string) {
    this.#scratch.set(parseUuid(uuid));
  }

  /** Writes the header of a record to `target`, which has room for recordHeaderBytes. */
  print(target: Uint8Array, number: number, payload: Uint8Array): void {
    const header = this.#header;
    header.set(recordMagic);
    this.#view.setUint32(4, number, true);
    this.#view.setUint32(8, payload.length, true);
    this.#view.setUint32(12, kindOtlp, true);
    header.set(xxh64Of(payload), 16);
    header.set(xxh64Of(this.#hashed), 24);
    target.set(header);
  }

  /** Reads the header at the start of `bytes`; null if none of this segment stands there. */
  parse(bytes: Uint8Array): RecordHeader | null {
    if (bytes.length < recordHeaderBytes || !equal(bytes, recordMagic, 4)) return null;
    this.#header.set(bytes.subarray(0, recordHeaderBytes));
    if (!equal(this.#header.subarray(24), xxh64Of(this.#hashed), xxh64Bytes)) return null;
    if (this.#view.getUint32(12, true) !== kindOtlp) return null;
    return {
      number: this.#view.getUint32(4, true),
      length: this.#view.getUint32(8, true),
      payloadHash: this.#header.slice(16, 24),
    };
  }
}

/** Tells whether a payload is the one that the header was printed for. */
export function isPayloadOf(header: RecordHeader, payload: Uint8Array): boolean {
  return payload.length === header.length && equal(header.payloadHash, xxh64Of(payload), xxh64Bytes);
}

function equal(a: Uint8Array, b: Uint8Array, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}
