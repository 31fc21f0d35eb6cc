// What is stored of each tenant, in numbers.
import type { BlockList } from "./block_list.ts";

export interface TenantTotals {
  tenant: string;
  blocks: number;
  bytes: number;
  traces: number;
  compactedBlocks: number;
  compactedBytes: number;
  compactedTraces: number;
}

export function totalsOf(list: BlockList): TenantTotals[] {
  return list.tenants().map((tenant) => {
    const live = list.live(tenant);
    const compacted = list.compacted(tenant).map(({ meta }) => meta);
    return {
      tenant,
      blocks: live.length,
      bytes: sum(live, "size"),
      traces: sum(live, "totalObjects"),
      compactedBlocks: compacted.length,
      compactedBytes: sum(compacted, "size"),
      compactedTraces: sum(compacted, "totalObjects"),
    };
  });
}

function sum<Name extends string>(rows: readonly Record<Name, number>[], name: Name): number {
  return rows.reduce((total, row) => total + row[name], 0);
}
