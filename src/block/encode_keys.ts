// What the core has to know of a batch's strings before it encodes: the texts of values that have no type of their own, and which
// attributes have columns of their own.
import { Owner } from "../../wasm/parquet_encode_ids.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import { type DedicatedColumn, spareColumn, staticColumnsV4 } from "./dedicated.ts";
import { anyValueToJson, emptyAnyValue } from "./encode_any_value.ts";
import type { EncodeCore } from "./encode_core.ts";
import type { KeyColumns } from "./encode_plan.ts";
import type { Slices } from "./encode_slices.ts";
import type { BlockVersion } from "./schema.ts";

const utf8 = new TextEncoder();

const owners = {
  resource: { owner: Owner.Resource, group: "rs.Resource" },
  span: { owner: Owner.Span, group: "rs.ss.Spans" },
  event: { owner: Owner.Event, group: "rs.ss.Spans.Events" },
} as const;

/** Id of a string in the batch's dictionary, which is added if it is new. */
function intern(batch: SpanBatch, core: EncodeCore, text: string): number {
  const bytes = utf8.encode(text);
  batch.give(bytes);
  return core.internInput(bytes.length);
}

/** Puts into the dictionary what is no string of the batch and becomes one in the block. */
export async function internTexts(
  version: BlockVersion,
  batch: SpanBatch,
  core: EncodeCore,
  slices: Slices,
): Promise<void> {
  const isOld = version === "vParquet3";
  core.resolveBlobs(intern(batch, core, emptyAnyValue), isOld ? 1 : 0);
  for (let blob = core.blobWithoutText(0); blob >= 0; blob = core.blobWithoutText(blob + 1)) {
    core.setBlobText(blob, intern(batch, core, anyValueToJson(batch.blob(blob))));
    if (slices.due) await slices.rest();
  }
  if (!isOld) return;
  await slices.over(batch.spans, (from, to) => core.internLinks(from, to));
  await slices.over(core.eventCount(), (from, to) => core.internEventValues(from, to));
}

interface KeyColumn {
  scope: DedicatedColumn["scope"];
  name: string;
  type: DedicatedColumn["type"];
  /** Below the group of the scope. */
  leaf: string;
  takesArrays: boolean;
}

/**
 * Tells the core which attributes have columns of their own.
 *
 * @param dedicated those of the block's meta
 */
export function beginKeys(
  version: BlockVersion,
  batch: SpanBatch,
  core: EncodeCore,
  dedicated: readonly DedicatedColumn[],
): KeyColumns {
  const wanted = keyColumnsOf(version, dedicated).map((column) => {
    const known = core.strings();
    const key = intern(batch, core, column.name);
    return { ...column, key, isNew: key === known };
  });
  core.beginEncode();
  const columns = new Map<string, number>();
  for (const { scope, key, isNew, type, leaf, takesArrays } of wanted) {
    if (isNew) continue;
    const { owner, group } = owners[scope];
    const number = core.addKeyColumn(owner, key, type === "int" ? 1 : 0, takesArrays ? 1 : 0);
    columns.set(`${group}.${leaf}`, number);
  }
  return columns;
}

/** In the order in which they take attributes. */
function keyColumnsOf(version: BlockVersion, dedicated: readonly DedicatedColumn[]): KeyColumn[] {
  // The columns of vParquet5 are lists.
  const isList = version === "vParquet5";
  const statics = isList ? [] : staticColumnsV4;
  return [
    { scope: "resource", name: "service.name", type: "string", leaf: "ServiceName", takesArrays: false },
    ...statics.map((column) => ({ ...column, leaf: column.column, takesArrays: false })),
    ...dedicated.map((column, i) => ({
      ...column,
      leaf: `DedicatedAttributes.${spareColumn(dedicated, i)}`,
      takesArrays: isList,
    })),
  ];
}
