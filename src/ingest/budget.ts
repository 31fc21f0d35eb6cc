// Divides the memory budget: how many bytes requests may take while they are received and logged, and spans until they are in
// blocks. Whatever does not fit is refused before anything is written.

/** The runtime before the first span: code, heap, and what its collector leaves lying around under load. */
const runtimeBytes = 96 << 20;
/** One more worker thread, likewise. */
const workerBytes = 14 << 20;
/** However small the budget, this share of it is for data; the runtime then comes on top. */
const dataShareMin = 1 / 2;
/** Of what is for data: heads and what waits for them, bodies being received, filters of stored blocks, and the rest for queries. */
const liveShare = 0.65;
const receiveShare = 0.1;
const filterShare = 0.05;
/** Room for one body of the largest size that is accepted by default, and for its growth. */
const receiveBytesMin = 40 << 20;
/** Of a shard's share: requests on their way to it. */
const queueShare = 0.1;
/** Of a shard's memory for heads, and in any case: the rows of one request. While its block is written they take three times as much. */
const requestShare = 1 / 3;
const requestRowBytesMin = 16 << 20;

/** What a metrics query adds up in the main thread; what the workers add up for it, each a part, is no more in all. */
const cellsShare = 0.3;
/** A number of a group in an interval: in columns that grow, with its place in a table, on its way to the answer. */
const cellBytes = 100;
const cellsMin = 1 << 16;

export interface MemoryShares {
  budgetBytes: number;
  /** Bodies that are being received. */
  receiveBytesMax: number;
  /** Filters of the trace ids of stored blocks. */
  filterBytesMax: number;
  /** Requests that are on their way to a shard. */
  queueBytesMax: number;
  /** Heads of each shard. */
  shardBytesMax: number;
  /** Rows of one request, which a shard must take in one go. */
  requestRowBytesMax: number;
  /** Numbers that a metrics query may add up, each of a group in an interval. */
  cellsMax: number;
}

/**
 * @param budgetBytes see resolveMemoryBudget()
 * @param shards shard workers
 * @param otherWorkers worker threads that read stored blocks
 */
export function memoryShares(budgetBytes: number, shards: number, otherWorkers: number): MemoryShares {
  const reserve = runtimeBytes + (shards + otherWorkers) * workerBytes;
  const data = Math.max(budgetBytes - reserve, budgetBytes * dataShareMin);
  const ofShard = (data * liveShare) / shards;
  const shardBytesMax = Math.floor(ofShard * (1 - queueShare));
  return {
    budgetBytes,
    receiveBytesMax: Math.max(Math.floor(data * receiveShare), receiveBytesMin),
    filterBytesMax: Math.floor(data * filterShare),
    queueBytesMax: Math.floor(ofShard * queueShare * shards),
    shardBytesMax,
    requestRowBytesMax: Math.max(Math.floor(shardBytesMax * requestShare), requestRowBytesMin),
    cellsMax: Math.max(Math.floor((data * cellsShare) / cellBytes), cellsMin),
  };
}
