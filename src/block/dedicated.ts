// Dedicated columns: attributes that get a Parquet column of their own. The order of the list is the mapping: the k-th
// entry of a scope and type uses the k-th spare column of that scope and type.
import type { BlockVersion } from "./schema.ts";

export interface DedicatedColumn {
  scope: "resource" | "span" | "event";
  name: string;
  type: "string" | "int";
  options: ("array" | "blob")[];
}

function dedicated(
  scope: DedicatedColumn["scope"],
  name: string,
  type: DedicatedColumn["type"] = "string",
): DedicatedColumn {
  return { scope, name, type, options: [] };
}

/** Tempo's default, in its order. */
export const defaultDedicatedColumns: readonly DedicatedColumn[] = [
  dedicated("resource", "k8s.cluster.name"),
  dedicated("resource", "k8s.namespace.name"),
  dedicated("resource", "k8s.pod.name"),
  dedicated("resource", "k8s.container.name"),
  dedicated("span", "http.request.method"),
  dedicated("span", "http.response.status_code", "int"),
  dedicated("span", "url.path"),
  dedicated("span", "url.route"),
  dedicated("span", "server.address"),
  dedicated("span", "server.port", "int"),
  dedicated("span", "http.method"),
  dedicated("span", "http.url"),
  dedicated("span", "http.route"),
  dedicated("span", "http.status_code", "int"),
];

/** An attribute with a column of its own in every vParquet3 and vParquet4 block. */
export interface StaticColumn {
  scope: "resource" | "span";
  name: string;
  type: "string" | "int";
  column: string;
}

/** In file order; service.name has a required column and is mapped apart. */
export const staticColumnsV4: readonly StaticColumn[] = [
  { scope: "resource", name: "cluster", type: "string", column: "Cluster" },
  { scope: "resource", name: "namespace", type: "string", column: "Namespace" },
  { scope: "resource", name: "pod", type: "string", column: "Pod" },
  { scope: "resource", name: "container", type: "string", column: "Container" },
  { scope: "resource", name: "k8s.cluster.name", type: "string", column: "K8sClusterName" },
  { scope: "resource", name: "k8s.namespace.name", type: "string", column: "K8sNamespaceName" },
  { scope: "resource", name: "k8s.pod.name", type: "string", column: "K8sPodName" },
  { scope: "resource", name: "k8s.container.name", type: "string", column: "K8sContainerName" },
  { scope: "span", name: "http.method", type: "string", column: "HttpMethod" },
  { scope: "span", name: "http.url", type: "string", column: "HttpUrl" },
  { scope: "span", name: "http.status_code", type: "int", column: "HttpStatusCode" },
];

/** Spare columns of a scope and type; further dedicated columns are ignored. */
export const spareColumns = {
  vParquet3: { string: 10, int: 0 },
  vParquet4: { string: 10, int: 0 },
  vParquet5: { string: 20, int: 5 },
} as const satisfies Record<BlockVersion, Record<DedicatedColumn["type"], number>>;

/**
 * Gives the dedicated columns that a block of this version can hold; this list is what goes to its meta.
 *
 * @param columns the configured list
 */
export function filterDedicatedColumns(
  version: BlockVersion,
  columns: readonly DedicatedColumn[],
): DedicatedColumn[] {
  return ranked(version, columns).flatMap(({ column, hasRoom }) => (hasRoom ? [column] : []));
}

/** Those that are left out only because a block of this version has no more spare columns of their scope and type. */
export function columnsWithoutRoom(
  version: BlockVersion,
  columns: readonly DedicatedColumn[],
): DedicatedColumn[] {
  return ranked(version, columns).flatMap(({ column, hasRoom }) => (hasRoom ? [] : [column]));
}

function ranked(
  version: BlockVersion,
  columns: readonly DedicatedColumn[],
): { column: DedicatedColumn; hasRoom: boolean }[] {
  const fitting = version === "vParquet5" ? columns : columns.filter(isPlainString);
  return fitting.map((column, index) => {
    const { scope, type } = column;
    const before = fitting.slice(0, index).filter((other) => other.scope === scope && other.type === type);
    return { column, hasRoom: before.length < spareColumns[version][type] };
  });
}

/** What vParquet3 and 4 have spare columns for. */
function isPlainString({ scope, name, type, options }: DedicatedColumn): boolean {
  return (
    options.length === 0 &&
    type === "string" &&
    scope !== "event" &&
    !(scope === "resource" && name === "service.name") &&
    !staticColumnsV4.some((taken) => taken.scope === scope && taken.name === name && taken.type === type)
  );
}

/** The spare column of a dedicated column, such as `String01`, by its place in the filtered list. */
export function spareColumn(columns: readonly DedicatedColumn[], index: number): string {
  const { scope, type } = columns[index]!;
  let rank = 1;
  for (let i = 0; i < index; i++) {
    if (columns[i]!.scope === scope && columns[i]!.type === type) rank++;
  }
  return `${type === "string" ? "String" : "Int"}${String(rank).padStart(2, "0")}`;
}
