// Finds the parts of a trace wherever they lie and joins them: live data first, then the blocks that may hold it.
// A block is listed before the head that it was written from is dropped, so in this order nothing falls between.
import type { BlockTraces } from "../jobs/block_pool.ts";
import { QueryDeadline } from "./query_deadline.ts";
import { type CombinedTrace, combineTraces } from "./trace_combine.ts";
import type { TraceParams } from "./trace_request.ts";

/** Spans that are not in blocks yet. */
export interface LiveTraces {
  /** @returns OTLP TracesData of the trace, one of each head that holds a part */
  find(tenant: string, traceId: Uint8Array, signal: AbortSignal): Promise<Uint8Array[]>;
}

export interface CandidateRange {
  /** Unix seconds. */
  start?: number;
  end?: number;
  /** Block ids, in lower case, both inclusive. */
  blockStart?: string;
  blockEnd?: string;
}

/** The list of stored blocks as this process knows it now. */
export interface BlockCandidates<Block> {
  candidates(tenant: string, range: CandidateRange): Block[];
}

/** The same for a trace: only the blocks that may have it. */
export interface TraceCandidates<Block> {
  candidates(
    tenant: string,
    range: CandidateRange,
    traceId: Uint8Array,
    signal: AbortSignal,
  ): Promise<Block[]>;
}

/** Looks into stored blocks. */
export interface BlockFinder<Block> {
  find(tenant: string, traceId: Uint8Array, blocks: Block[], signal: AbortSignal): Promise<BlockTraces>;
}

export interface FindTraceRequest extends TraceParams {
  /** One, or several whose parts are joined. */
  tenants: string[];
  /** 16 bytes. */
  traceId: Uint8Array;
  /** Largest trace in bytes, 0 = no limit. */
  bytesMax: number;
  /** Cut a larger trace instead of throwing. */
  allowPartial: boolean;
}

export interface FoundTrace extends CombinedTrace {
  /** Bytes read from stored blocks. */
  inspectedBytes: number;
}

export interface TraceFinderOptions {
  queryTimeoutMs: number;
}

export class TraceFinder<Block> {
  constructor(
    private readonly live: LiveTraces,
    private readonly list: TraceCandidates<Block>,
    private readonly blocks: BlockFinder<Block>,
    private readonly options: TraceFinderOptions,
  ) {}

  /**
   * @param signal the client's: aborted when it goes away
   * @returns the trace, with `spans` 0 if there is none
   * @throws QueryTimeout, QueryCanceled, TraceTooLarge, WireError, and what the sources throw
   */
  async find(request: FindTraceRequest, signal: AbortSignal): Promise<FoundTrace> {
    const deadline = new QueryDeadline(signal, this.options.queryTimeoutMs);
    try {
      const searches = signal.aborted
        ? []
        : request.tenants.map((tenant) => this.findOfTenant(tenant, request, deadline.signal));
      const found = await deadline.race(Promise.all(searches));
      return combine(found, request);
    } finally {
      deadline.end();
    }
  }

  private async findOfTenant(
    tenant: string,
    request: FindTraceRequest,
    signal: AbortSignal,
  ): Promise<BlockTraces> {
    const { mode, traceId } = request;
    const traces =
      mode === "all" || mode === "ingesters" ? await this.live.find(tenant, traceId, signal) : [];
    if ((mode !== "all" && mode !== "blocks") || signal.aborted) return { traces, inspectedBytes: 0 };
    const { start, end, blockStart, blockEnd } = request;
    const range = { start, end, blockStart, blockEnd };
    const blocks = await this.list.candidates(tenant, range, traceId, signal);
    if (blocks.length === 0) return { traces, inspectedBytes: 0 };
    const stored = await this.blocks.find(tenant, traceId, blocks, signal);
    return { traces: [...traces, ...stored.traces], inspectedBytes: stored.inspectedBytes };
  }
}

function combine(found: BlockTraces[], request: FindTraceRequest): FoundTrace {
  const sources = found.flatMap((part) => part.traces);
  const inspectedBytes = found.reduce((sum, part) => sum + part.inspectedBytes, 0);
  const combined = combineTraces(sources, request);
  if (inRange(combined, request)) return { ...combined, inspectedBytes };
  return { ...combined, trace: new Uint8Array(0), spans: 0, partial: false, inspectedBytes };
}

/**
 * Whether a trace overlaps the time asked for. Blocks are narrowed by it before they are read; this gives the same
 * answer for spans that are still live. A trace without times is always in range.
 */
function inRange(trace: CombinedTrace, { start, end }: FindTraceRequest): boolean {
  if (trace.endNanos === 0) return true;
  if (start !== undefined && trace.endNanos < start * 1e9) return false;
  return end === undefined || trace.startNanos < (end + 1) * 1e9;
}
