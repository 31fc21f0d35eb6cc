// Where a block keeps the values of an attribute or intrinsic that may be told from dictionaries.
import { spareColumn, staticColumnsV4 } from "../block/dedicated.ts";
import type { BlockMeta } from "../block/meta.ts";
import type { AttributeOwner } from "../search/projection.ts";
import { ownersOf } from "../search/tags_batch.ts";
import type { Attribute, IntrinsicName } from "../traceql/index.ts";

const groups: Record<AttributeOwner, string> = {
  resource: "rs.Resource",
  instrumentation: "rs.ss.Scope",
  span: "rs.ss.Spans",
  event: "rs.ss.Spans.Events",
  link: "rs.ss.Spans.Links",
};

const intrinsicColumns: Partial<Record<IntrinsicName, string>> = {
  name: "rs.ss.Spans.Name",
  statusMessage: "rs.ss.Spans.StatusMessage",
  rootName: "RootSpanName",
  rootServiceName: "RootServiceName",
  "event:name": "rs.ss.Spans.Events.Name",
  "instrumentation:name": "rs.ss.Scope.Name",
  "instrumentation:version": "rs.ss.Scope.Version",
};

/** The column of the names of generic attributes. */
export function keyColumn(owner: AttributeOwner): string {
  return `${groups[owner]}.Attrs.Key`;
}

/**
 * Columns of texts that hold an intrinsic, or an attribute as far as it is not a generic one.
 *
 * @returns null if there is a column of another type among them
 */
export function textColumns(meta: BlockMeta, attribute: Attribute): string[] | null {
  if (attribute.kind === "intrinsic") {
    const path = intrinsicColumns[attribute.name];
    return path === undefined ? [] : [path];
  }
  const { name } = attribute;
  const paths: string[] = [];
  for (const owner of ownersOf(attribute)) {
    if (owner === "resource" && name === "service.name") paths.push(`${groups.resource}.ServiceName`);
    for (const [i, column] of meta.dedicatedColumns.entries()) {
      if (column.scope !== owner || column.name !== name) continue;
      if (column.type !== "string") return null;
      paths.push(`${groups[owner]}.DedicatedAttributes.${spareColumn(meta.dedicatedColumns, i)}`);
    }
    if (meta.format === "vParquet5") continue;
    for (const column of staticColumnsV4) {
      if (column.scope !== owner || column.name !== name) continue;
      if (column.type !== "string") return null;
      paths.push(`${groups[owner]}.${column.column}`);
    }
  }
  return paths;
}
