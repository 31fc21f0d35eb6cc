// Names and values of attributes in a span batch: a head, or what was read of a block.

import { AttrType, Column } from "../../wasm/column_ids.ts";
import { Owner } from "../../wasm/parquet_decode_ids.ts";
import { doubleOf } from "../batch/double_bits.ts";
import type { SpanBatch } from "../batch/span_batch.ts";
import type { TagNamesRequest } from "../query/search_types.ts";
import type { Attribute, IntrinsicName } from "../traceql/index.ts";
import { arrayElements } from "./array_elements.ts";
import type { AttributeOwner } from "./projection.ts";
import {
  type NameLists,
  nameBounds,
  partOf,
  sortTexts,
  type TagBounds,
  type TagNamesQuery,
  type TagValuesQuery,
  type ValueLists,
  valueBounds,
} from "./tags_lists.ts";
import { floatText } from "./tags_text.ts";
import type { Element } from "./values.ts";

/** Words of 8 bytes that a value takes in Tags2. */
const otherWords = 2;

const ownerIds: Record<AttributeOwner, Owner> = {
  resource: Owner.Resource,
  instrumentation: Owner.Scope,
  span: Owner.Span,
  event: Owner.Event,
  link: Owner.Link,
};

/** Columns of intrinsics whose values are listed. Of the others the values are the same whatever is stored, or of no use. */
const fieldColumns: Partial<Record<IntrinsicName, Column>> = {
  name: Column.SpanName,
  statusMessage: Column.SpanStatusMessage,
  rootName: Column.TraceRootName,
  rootServiceName: Column.TraceRootService,
  "event:name": Column.EventName,
  "instrumentation:name": Column.ScopeName,
  "instrumentation:version": Column.ScopeVersion,
};

export const attributeOwners = Object.keys(ownerIds) as AttributeOwner[];

/** Whose names a request asks for. */
export function ownersOfScope(scope: TagNamesRequest["scope"]): readonly AttributeOwner[] {
  return scope === "none" ? attributeOwners : [scope];
}

/** Whose attributes an attribute may be; none of an intrinsic, or of `parent.`, which is reserved. */
export function ownersOf(attribute: Attribute): AttributeOwner[] {
  if (attribute.kind === "intrinsic" || attribute.parent) return [];
  return attribute.scope === "none" ? ["span", "resource"] : [attribute.scope];
}

export interface ListedSpans {
  /** Address of a byte by span, not 0 for those that count; 0: all. */
  spans: number;
  /** The batch was read from a block, whose columns about traces count. */
  stored: boolean;
}

/** Lists the names of attributes: a part, to be joined with others. */
export function tagNamesOf(batch: SpanBatch, query: TagNamesQuery, { spans }: ListedSpans): NameLists {
  const bounds = nameBounds(query);
  const names: NameLists = {};
  for (const owner of ownersOfScope(query.scope)) {
    batch.core.beginTags!();
    batch.core.listTagKeys!(ownerIds[owner], spans);
    const texts = leastStrings(batch, bounds);
    if (texts.length > 0) names[owner] = texts;
  }
  return partOf(names, bounds);
}

/** Lists the values of an attribute or intrinsic: a part, to be joined with others. */
export function tagValuesOf(
  batch: SpanBatch,
  query: TagValuesQuery,
  { spans, stored }: ListedSpans,
): ValueLists {
  const { attribute } = query;
  const { core } = batch;
  core.beginTags!();
  if (attribute.kind === "attribute") {
    const key = encoder.encode(attribute.name);
    batch.give(key);
    for (const owner of ownersOf(attribute)) core.listTagValues!(ownerIds[owner], key.length, spans);
  } else {
    const column = fieldColumns[attribute.name];
    if (column === Column.TraceRootName || column === Column.TraceRootService) {
      core.listTagRoots!(column, spans, stored ? 1 : 0);
    } else if (column !== undefined) {
      core.listTagField!(column, spans);
    }
  }
  const bounds = valueBounds(query);
  const strings = leastStrings(batch, bounds);
  const values = withOthers(batch, strings);
  return partOf(withoutEmptyService(attribute, values), bounds);
}

/** The strings that come first, sorted, with the first that is too many. */
function leastStrings(batch: SpanBatch, { perKind, total, bytes }: TagBounds): string[] {
  const count = batch.core.keepLeastTags!(Math.min(perKind, total, u32Max), Math.min(bytes, u32Max)) >>> 0;
  const texts: string[] = [];
  let broken = false;
  for (const id of batch.u32(Column.Tags1, count)) {
    const text = batch.string(id);
    if (text.includes("\ufffd")) broken = true;
    texts.push(text);
  }
  // Different bytes that are no UTF-8 may look the same.
  return broken ? sortTexts([...new Set(texts)]) : texts;
}

/** Adds the values that are no strings, and the elements of arrays. */
function withOthers(batch: SpanBatch, strings: string[]): ValueLists {
  const count = batch.core.tagOthers!();
  if (count === 0) return strings.length > 0 ? { string: strings } : {};
  const sets: Record<ListedType, Set<string>> = {
    string: new Set(strings),
    int: new Set(),
    float: new Set(),
    bool: new Set(),
  };
  const add = (element: Element): void => {
    if (typeof element === "bigint") sets.int.add(String(element));
    else if (typeof element === "number") sets.float.add(floatText(element));
    else if (typeof element === "boolean") sets.bool.add(String(element));
    else sets.string.add(decoder.decode(element));
  };
  const words = batch.u64(Column.Tags2, count * otherWords);
  for (let i = 0; i < words.length; i += otherWords) {
    const bits = words[i]!;
    const type = Number(words[i + 1]);
    if (type === AttrType.Int) add(BigInt.asIntN(64, bits));
    else if (type === AttrType.Double) add(doubleOf(bits));
    else if (type === AttrType.Bool) add(bits !== 0n);
    else for (const element of arrayElements(batch.blob(Number(bits)))) add(element);
  }
  const values: ValueLists = {};
  for (const [type, texts] of Object.entries(sets) as [ListedType, Set<string>][]) {
    if (texts.size > 0) values[type] = sortTexts([...texts]);
  }
  return values;
}

/** Types of what attributes hold. */
type ListedType = "string" | "int" | "float" | "bool";

/** An empty service.name counts as none: blocks do not tell the one from the other. */
export function withoutEmptyService(attribute: Attribute, values: ValueLists): ValueLists {
  if (values.string?.[0] !== "" || attribute.name !== "service.name") return values;
  if (!ownersOf(attribute).includes("resource")) return values;
  const { string, ...others } = values;
  return string.length > 1 ? { string: string.slice(1), ...others } : others;
}

const u32Max = 2 ** 32 - 1;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
