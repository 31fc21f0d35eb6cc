// Reads back at start what earlier processes left in the WAL: into heads, and those into blocks, within the memory that heads may
// take. What is interrupted is taken up at the next start, and makes the same blocks.

import { log } from "../telemetry/log.ts";
import { blockIdOf, type Head } from "./head.ts";
import type { Shard, ShardStore } from "./shard.ts";
import type { CutPlan, FoundSegment } from "./wal_directory.ts";
import { WalReader } from "./wal_reader.ts";
import { segmentHeaderBytes } from "./wal_record.ts";
import { WalSegment } from "./wal_segment.ts";

/** Bytes read back between two looks at what else waits. */
const pauseBytes = 1 << 20;
/** Wait before the store or the disk is tried again: doubled each time, up to the second. */
const retryMsMin = 200;
const retryMsMax = 30_000;

/** Resolves when all segments are in heads or blocks. A segment that can't be read stays where it is, with a line in the log. */
export async function replay(shard: Shard): Promise<void> {
  const found = shard.directory.found();
  for (const [i, segment] of found.entries()) {
    const { tenant } = segment.identity;
    // The newest one of a tenant may grow on; it comes last.
    const newest = segment.own && found[i + 1]?.identity.tenant !== tenant;
    try {
      await replaySegment(shard, segment, newest);
    } catch (cause) {
      shard.counts.corruptSegments++;
      log.error("WAL segment can't be read back", { tenant, segment: segment.path, error: cause as Error });
    }
  }
}

async function replaySegment(shard: Shard, found: FoundSegment, newest: boolean): Promise<void> {
  const { path, identity } = found;
  const plan = await whatIsLeft(shard, found);
  if (!plan) {
    shard.directory.remove(path);
    return;
  }
  const reader = new WalReader(path, identity);
  try {
    const filling = await fillHeads(shard, reader, found, plan.from);
    await settle(shard, reader, found, filling, newest);
  } finally {
    reader.close();
  }
}

/** The part of a segment that is in no block yet; null if all of it is. */
async function whatIsLeft(shard: Shard, { path, identity }: FoundSegment): Promise<CutPlan | null> {
  let plan = shard.directory.plan(path) ?? { from: 0, to: null };
  for (;;) {
    const block = await findBlock(shard, identity.tenant, blockIdOf(identity.uuid, plan.from));
    if (!block) break;
    // The worker may have died before it could say that it had written the block.
    if (block !== "compacted") await shard.listBlock(block);
    if (plan.to === null) return null;
    plan = await setPlan(shard, path, { from: plan.to, to: null });
  }
  // A head may come further now than it was to come then, and its block would be taken for one that ends there.
  if (plan.to !== null) plan = await setPlan(shard, path, { from: plan.from, to: null });
  await dropPartial(shard, identity.tenant, blockIdOf(identity.uuid, plan.from));
  return plan;
}

/** What a block that was never finished leaves behind only takes room: the block is written over it. */
async function dropPartial(shard: Shard, tenant: string, blockId: string): Promise<void> {
  try {
    await shard.store.dropPartial(tenant, blockId);
  } catch (cause) {
    log.warn("WAL replay can't remove an unfinished block", {
      tenant,
      block: blockId,
      error: cause as Error,
    });
  }
}

/** Asks until there is an answer: a wrong one would write spans twice or lose them. */
function findBlock(shard: Shard, tenant: string, blockId: string): ReturnType<ShardStore["findBlock"]> {
  const ask = () => shard.store.findBlock(tenant, blockId);
  return persist("WAL replay waits for the store", { tenant, block: blockId }, ask);
}

/** On a full disk, too, it ends only when that is written: what is in the log would not be found until the next start otherwise. */
async function setPlan(shard: Shard, path: string, plan: CutPlan): Promise<CutPlan> {
  await persist("WAL replay waits for the disk", { segment: path }, async () =>
    shard.directory.setPlan(path, plan),
  );
  return plan;
}

async function persist<Result>(
  waits: string,
  about: Record<string, string>,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let waitMs = retryMsMin; ; waitMs = Math.min(waitMs * 2, retryMsMax)) {
    try {
      return await attempt();
    } catch (cause) {
      log.error(waits, { ...about, error: cause as Error });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Reads to the end. Whenever the head is full, it is cut, and the rest goes to another. */
async function fillHeads(shard: Shard, reader: WalReader, found: FoundSegment, from: number): Promise<Head> {
  const { path, identity } = found;
  const { createdMs } = reader.state;
  let head = shard.headOf({ path, identity, createdMs, firstRecord: from });
  let unpaused = 0;
  for (let record = reader.next(); record; record = reader.next()) {
    const { number, payload } = record;
    if (number < head.source.firstRecord) continue;
    // In a batch, a request takes about as much as on the wire.
    if (head.batch.spans > 0 && head.bytes + payload.length > shard.headBytesMax) {
      // Said before the block is written: a block that is found at the next start must say by its id what it holds.
      await setPlan(shard, path, { from: head.source.firstRecord, to: number });
      head.keepsSegment = true;
      await shard.cutter.untilCut(head, "replay");
      await setPlan(shard, path, { from: number, to: null });
      head = shard.headOf({ path, identity, createdMs, firstRecord: number });
    }
    shard.counts.replayedRecords++;
    shard.counts.replayedSpans += head.decode(number, payload);
    unpaused += payload.length;
    if (unpaused >= pauseBytes) {
      unpaused = 0;
      await shard.pause();
    }
  }
  return head;
}

/** Decides what becomes of a segment that was read to its end, and of the head with the last of its spans. */
async function settle(
  shard: Shard,
  reader: WalReader,
  found: FoundSegment,
  head: Head,
  newest: boolean,
): Promise<void> {
  const { path, identity } = found;
  const { bytes, records, createdMs, tornBytes, corruptions, corruptBytes } = reader.state;
  const about = { tenant: identity.tenant, segment: path };
  if (tornBytes > 0)
    log.warn("WAL segment ends in an incomplete record, which is cut off", { ...about, bytes: tornBytes });
  if (corruptions > 0) {
    shard.directory.keepAside(path);
    shard.counts.corruptRecords += corruptions;
    shard.counts.corruptSegments++;
    log.error("WAL segment is damaged, what can be read was kept", {
      ...about,
      places: corruptions,
      bytes: corruptBytes,
    });
  }
  log.info("WAL segment read back", { ...about, records, spans: head.batch.spans });
  const growsOn =
    newest &&
    corruptions === 0 &&
    head.recordsSetAside === 0 &&
    head.batch.spans > 0 &&
    head.bytes < shard.room &&
    bytes < shard.settings.blockBytesMax &&
    bytes > segmentHeaderBytes;
  if (!growsOn) return shard.cutter.untilCut(head, "replay");
  try {
    shard.grow(head, WalSegment.reopen(path, identity, createdMs, bytes, records));
  } catch (cause) {
    // A disk that can only be read: the spans are answered from, and become a block when that can be written.
    log.error("WAL segment can't be appended to, its head is cut", { ...about, error: cause as Error });
    void shard.cutter.cut(head, "replay");
  }
}
