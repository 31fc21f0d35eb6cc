// The ingestion rate limit of a tenant: a token bucket in OTLP bytes, with Tempo's texts.

export interface RateLimit {
  strategy: "local" | "global";
  /** 0 is no limit. */
  bytesPerSecond: number;
  burstBytes: number;
}

/** More tenants than this are not remembered once their bucket is full again. */
const bucketsMax = 10_000;

export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /**
   * Takes a request's bytes from the tenant's bucket.
   *
   * @param now milliseconds of a clock that does not go back
   * @returns why the request is refused, or null
   */
  refusal(tenant: string, bytes: number, now: number = performance.now()): string | null {
    const { bytesPerSecond, burstBytes, strategy } = this.#limit;
    if (bytesPerSecond <= 0) return null;
    let bucket = this.#buckets.get(tenant);
    if (!bucket) {
      if (this.#buckets.size >= bucketsMax) this.#forgetFull(now);
      bucket = { tokens: burstBytes, at: now };
      this.#buckets.set(tenant, bucket);
    }
    const earned = ((now - bucket.at) / 1000) * bytesPerSecond;
    bucket.tokens = Math.min(burstBytes, bucket.tokens + earned);
    bucket.at = now;
    if (bytes <= bucket.tokens) {
      bucket.tokens -= bytes;
      return null;
    }
    // With one process, the limit of all of them is the limit of this one.
    const global = strategy === "global" ? bytesPerSecond : 0;
    const limits = `(local: ${bytesPerSecond} bytes/s, global: ${global} bytes/s, burst: ${burstBytes} bytes)`;
    if (bytes > bytesPerSecond && bytes > burstBytes) {
      return `RATE_LIMITED: batch size (${bytes} bytes) exceeds ingestion limit ${limits} while adding ${bytes} bytes for user ${tenant}. consider reducing batch size or increasing rate limit.`;
    }
    return `RATE_LIMITED: ingestion rate limit ${limits} exceeded while adding ${bytes} bytes for user ${tenant}. consider increasing the limit or reducing ingestion rate.`;
  }

  /** A full bucket is the same as none. */
  #forgetFull(now: number): void {
    const fullAfterMs = (this.#limit.burstBytes / this.#limit.bytesPerSecond) * 1000;
    for (const [tenant, { at }] of this.#buckets) if (now - at >= fullAfterMs) this.#buckets.delete(tenant);
  }
}
