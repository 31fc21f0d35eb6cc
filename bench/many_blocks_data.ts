// The blocks of bench/many_blocks.ts: a day of them, written once through the S3 API and kept for the next run.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultConfig } from "../src/config/defaults.ts";
import { openS3Store } from "../src/store/s3_store.ts";
import { S3Server } from "../test/support/s3_server.ts";
import { BlockGenerator, tracesPerRequest } from "./generated_blocks.ts";
import { Random } from "./load/random.ts";
import { spansPerTrace } from "./load/shop.ts";

export const seed = 3;
const dayMs = 24 * 3_600_000;
/** A head is cut after that long. */
const blockMs = 300_000;
/** From 300 to 1,500 spans. */
const requestsMin = 6;
const requestsMax = 30;
/** Every so many blocks begin with the last trace of the block before, whose later spans they are. */
const sharedEvery = 4;

export interface ManyBlocks {
  blocks: number;
  spans: number;
  bytes: number;
  /** When the last one ended, Unix ms. */
  endMs: number;
  /** By block, counter of a trace that is in no other. */
  traces: number[];
}

/** Starts the S3 server on the blocks, which are written first where they are not there. */
export async function withManyBlocks(
  folder: string,
  blocks: number,
  run: (server: S3Server, data: ManyBlocks) => Promise<void>,
): Promise<void> {
  const own = join(folder, `s3-${blocks}`);
  const about = join(own, "blocks.json");
  if (!existsSync(about)) rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { recursive: true });
  const server = await S3Server.start({ folder: own });
  try {
    if (!existsSync(about)) writeFileSync(about, JSON.stringify(await writeBlocks(server, blocks)));
    await run(server, JSON.parse(readFileSync(about, "utf8")) as ManyBlocks);
  } finally {
    await server.remove();
  }
}

async function writeBlocks(server: S3Server, count: number): Promise<ManyBlocks> {
  const store = openS3Store({ ...defaultConfig().storage.trace.s3, ...server.settings().s3 });
  const generator = new BlockGenerator(seed);
  const random = new Random(seed);
  const data: ManyBlocks = { blocks: count, spans: 0, bytes: 0, endMs: Date.now(), traces: [] };
  const startMs = data.endMs - dayMs;
  let nextTrace = 0;
  for (let number = 0; number < count; number++) {
    const requests = requestsMin + random.below(requestsMax - requestsMin + 1);
    const traces = requests * tracesPerRequest;
    const firstTrace = nextTrace - (number > 0 && number % sharedEvery === 0 ? 1 : 0);
    const toMs = startMs + blockMs + ((dayMs - blockMs) * (number + 1)) / count;
    const { meta } = await generator.write(store, {
      number,
      firstTrace,
      traces,
      fromMs: toMs - blockMs,
      toMs,
    });
    data.spans += traces * spansPerTrace;
    data.bytes += meta.size;
    data.traces.push(firstTrace + 1 + random.below(traces - 2));
    nextTrace = firstTrace + traces;
  }
  return data;
}
