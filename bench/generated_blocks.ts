// Blocks of generated spans, written without a server: small ones, at any time of the past.
import { SpanBatch } from "../src/batch/span_batch.ts";
import type { BlockMeta } from "../src/block/meta.ts";
import { type BlockStore, writeBlock } from "../src/block/write.ts";
import { defaultConfig } from "../src/config/defaults.ts";
import { blockOptions } from "../src/shard/block_options.ts";
import { mix32 } from "./load/ids.ts";
import { Request } from "./load/request.ts";

export const generatedTenant = "single-tenant";
/** The traces of a block are added so many at a time, each time by a template that other blocks have used too. */
export const tracesPerRequest = 5;
const templates = 200;

export interface BlockOfTraces {
  number: number;
  /** Counter of the first trace. */
  firstTrace: number;
  traces: number;
  /** When its first and its last trace end, Unix ms. */
  fromMs: number;
  toMs: number;
}

export interface WrittenBlock {
  meta: BlockMeta;
  /** Of the spans as they came in. */
  otlpBytes: number;
}

export class BlockGenerator {
  readonly #seed: number;
  readonly #templates = new Map<number, Request>();
  readonly #batch = SpanBatch.create();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Writes a block as a flush would. The same block comes out each time. */
  async write(
    store: BlockStore,
    { number, firstTrace, traces, fromMs, toMs }: BlockOfTraces,
  ): Promise<WrittenBlock> {
    const config = defaultConfig();
    const batch = this.#batch;
    batch.reset();
    let otlpBytes = 0;
    for (let done = 0; done < traces; done += tracesPerRequest) {
      const request = this.#template(mix32(firstTrace + done) % templates);
      request.stamp(firstTrace + done, Math.floor(fromMs + ((toMs - fromMs) * done) / traces));
      const message = request.message();
      otlpBytes += message.length;
      batch.decode(message, config.distributor.max_attribute_bytes);
    }
    const options = blockOptions(config, generatedTenant, idOf(this.#seed, number));
    return { meta: await writeBlock(batch, store, options, () => Promise.resolve()), otlpBytes };
  }

  #template(number: number): Request {
    let request = this.#templates.get(number);
    if (!request) {
      request = new Request(this.#seed, number, tracesPerRequest, () => new Uint8Array(0), false);
      this.#templates.set(number, request);
    }
    return request;
  }
}

/** A UUID whose digits are spread evenly, as those of random ones are. */
function idOf(seed: number, number: number): string {
  const words = [0, 1, 2, 3].map((i) =>
    mix32(mix32(seed * 4 + i) ^ number)
      .toString(16)
      .padStart(8, "0"),
  );
  return words.join("").replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}
