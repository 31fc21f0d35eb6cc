// What the main thread counts of each tenant's requests.

import { otherTenants } from "../shard/api.ts";
import type { DiscardReason } from "../telemetry/ingest_metrics.ts";

export interface TenantCounts {
  ingressBytes: number;
  receivedBytes: number;
  receivedSpans: number;
  discardedSpans: Partial<Record<DiscardReason, number>>;
}

/** More tenants than this are counted together, under otherTenants. */
const tenantsMax = 10_000;

export class IngestCounts {
  readonly #tenants = new Map<string, TenantCounts>();

  of(tenant: string): TenantCounts {
    const known = this.#tenants.get(tenant);
    if (known) return known;
    if (this.#tenants.size >= tenantsMax && tenant !== otherTenants) return this.of(otherTenants);
    const counts: TenantCounts = { ingressBytes: 0, receivedBytes: 0, receivedSpans: 0, discardedSpans: {} };
    this.#tenants.set(tenant, counts);
    return counts;
  }

  discard(tenant: string, reason: DiscardReason, spans: number): void {
    const { discardedSpans } = this.of(tenant);
    discardedSpans[reason] = (discardedSpans[reason] ?? 0) + spans;
  }

  [Symbol.iterator](): IterableIterator<[string, TenantCounts]> {
    return this.#tenants[Symbol.iterator]();
  }
}
