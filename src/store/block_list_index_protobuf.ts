// The tenant index as protobuf, backend.v1.TenantIndex. By hand, since a library for it takes 20 MB of memory, which a process that has
// nothing else for it to do should not spend.
import { type BlockMeta, parseDedicatedColumns, shortDedicatedColumns } from "../block/meta.ts";
import type { TenantIndex } from "./block_list_index.ts";
import { type Fields, MessageBuilder, readFields } from "./block_list_index_wire.ts";

/** Field numbers. */
const indexFields = { createdAt: 1, meta: 2, compactedMeta: 3 };
const compactedFields = { blockMeta: 1, compactedTime: 2 };
const timeFields = { seconds: 1, nanos: 2 };
const metaFields = {
  version: 1,
  blockId: 2,
  tenantId: 5,
  startTime: 6,
  endTime: 7,
  totalObjects: 8,
  size: 9,
  compactionLevel: 10,
  indexPageSize: 12,
  totalRecords: 13,
  bloomShardCount: 15,
  footerSize: 16,
  dedicatedColumns: 17,
  replicationFactor: 18,
};

/** The year 1, which is no time to Go. */
const noTimeSeconds = -62_135_596_800;
const rfc3339Pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/;

interface Time {
  /** Since 1970. */
  seconds: number;
  nanos: number;
}

export function parseProtobufIndex(bytes: Uint8Array): TenantIndex {
  const index = readFields(bytes);
  return {
    createdMs: msOf(index.bytes(indexFields.createdAt)),
    live: index.all(indexFields.meta).map((meta) => metaOf(readFields(meta))),
    compacted: index.all(indexFields.compactedMeta).map((block) => {
      const fields = readFields(block);
      return {
        meta: metaOf(readFields(fields.bytes(compactedFields.blockMeta))),
        compactedMs: msOf(fields.bytes(compactedFields.compactedTime)),
      };
    }),
  };
}

export function printProtobufIndex({ createdMs, live, compacted }: TenantIndex): Uint8Array {
  const index = new MessageBuilder();
  index.bytes(indexFields.createdAt, messageOfTime(timeOfMs(createdMs)));
  for (const meta of live) index.bytes(indexFields.meta, messageOf(meta));
  for (const { meta, compactedMs } of compacted) {
    const block = new MessageBuilder();
    block.bytes(compactedFields.blockMeta, messageOf(meta));
    block.bytes(compactedFields.compactedTime, messageOfTime(timeOfMs(compactedMs)));
    index.bytes(indexFields.compactedMeta, block.finish());
  }
  return index.finish();
}

function metaOf(fields: Fields): BlockMeta {
  const columns = fields.text(metaFields.dedicatedColumns);
  return {
    format: fields.text(metaFields.version),
    blockID: uuidOf(fields.bytes(metaFields.blockId)),
    tenantID: fields.text(metaFields.tenantId),
    startTime: textOf(timeOf(fields.bytes(metaFields.startTime))),
    endTime: textOf(timeOf(fields.bytes(metaFields.endTime))),
    totalObjects: fields.number(metaFields.totalObjects),
    size: fields.number(metaFields.size),
    compactionLevel: fields.number(metaFields.compactionLevel),
    indexPageSize: fields.number(metaFields.indexPageSize),
    totalRecords: fields.number(metaFields.totalRecords),
    bloomShards: fields.number(metaFields.bloomShardCount),
    footerSize: fields.number(metaFields.footerSize),
    dedicatedColumns: parseDedicatedColumns(columns === "" ? [] : JSON.parse(columns)),
    replicationFactor: fields.number(metaFields.replicationFactor),
  };
}

function messageOf(meta: BlockMeta): Uint8Array {
  const columns = shortDedicatedColumns(meta.dedicatedColumns);
  const message = new MessageBuilder();
  message.text(metaFields.version, meta.format);
  message.bytes(metaFields.blockId, Buffer.from(meta.blockID.replaceAll("-", ""), "hex"));
  message.text(metaFields.tenantId, meta.tenantID);
  message.bytes(metaFields.startTime, messageOfTime(timeOfText(meta.startTime)));
  message.bytes(metaFields.endTime, messageOfTime(timeOfText(meta.endTime)));
  message.number(metaFields.totalObjects, meta.totalObjects);
  message.number(metaFields.size, meta.size);
  message.number(metaFields.compactionLevel, meta.compactionLevel);
  message.number(metaFields.indexPageSize, meta.indexPageSize);
  message.number(metaFields.totalRecords, meta.totalRecords);
  message.number(metaFields.bloomShardCount, meta.bloomShards);
  message.number(metaFields.footerSize, meta.footerSize);
  message.text(metaFields.dedicatedColumns, columns.length === 0 ? "" : JSON.stringify(columns));
  message.number(metaFields.replicationFactor, meta.replicationFactor);
  return message.finish();
}

function uuidOf(bytes: Uint8Array): string {
  if (bytes.length !== 16) throw new TypeError(`block id of ${bytes.length} bytes`);
  const hex = Buffer.from(bytes).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function timeOf(message: Uint8Array): Time {
  const fields = readFields(message);
  return { seconds: fields.number(timeFields.seconds), nanos: fields.number(timeFields.nanos) };
}

function messageOfTime({ seconds, nanos }: Time): Uint8Array {
  const message = new MessageBuilder();
  message.number(timeFields.seconds, seconds);
  message.number(timeFields.nanos, nanos);
  return message.finish();
}

function msOf(message: Uint8Array): number {
  const { seconds, nanos } = timeOf(message);
  return seconds * 1000 + nanos / 1e6;
}

function timeOfMs(ms: number): Time {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** RFC 3339 in UTC, as Go prints it. */
function textOf({ seconds, nanos }: Time): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  const fraction = nanos === 0 ? "" : `.${String(nanos).padStart(9, "0").replace(/0+$/, "")}`;
  return `${whole}${fraction}Z`;
}

function timeOfText(text: string): Time {
  const [, whole, fraction = "", zone] = rfc3339Pattern.exec(text) ?? [];
  const ms = Date.parse(`${whole}${zone}`);
  if (!Number.isFinite(ms)) return { seconds: noTimeSeconds, nanos: 0 };
  return { seconds: ms / 1000, nanos: Number(fraction.padEnd(9, "0")) };
}
