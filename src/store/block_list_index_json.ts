// The tenant index as JSON: the metas as meta.json has them; those of compacted blocks with one key more.
import { metaFrom, printMeta } from "../block/meta.ts";
import type { TenantIndex } from "./block_list_index.ts";

export function parseJsonIndex(bytes: Uint8Array): TenantIndex {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (typeof value !== "object" || value === null) throw new TypeError("not an object");
  const { created_at, meta, compacted } = value as Record<string, unknown>;
  return {
    createdMs: timeOf(created_at, "created_at"),
    live: entriesOf(meta, "meta").map(metaFrom),
    compacted: entriesOf(compacted, "compacted").map((entry) => ({
      meta: metaFrom(entry),
      compactedMs: timeOf((entry as Record<string, unknown>).compactedTime, "compactedTime"),
    })),
  };
}

export function printJsonIndex({ createdMs, live, compacted }: TenantIndex): Uint8Array {
  const compactedTexts = compacted.map(({ meta, compactedMs }) => {
    const time = JSON.stringify(new Date(compactedMs).toISOString());
    return `${printMeta(meta).slice(0, -1)},"compactedTime":${time}}`;
  });
  return new TextEncoder().encode(
    `{"created_at":${JSON.stringify(new Date(createdMs).toISOString())},"meta":[${live.map(printMeta).join(",")}],"compacted":[${compactedTexts.join(",")}]}`,
  );
}

/** An empty list of Go is null. */
function entriesOf(value: unknown, key: string): unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError(`${key} is no array`);
  return value;
}

function timeOf(value: unknown, key: string): number {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(ms)) throw new TypeError(`${key} is no time`);
  return ms;
}
