// The worker thread of a shard.

import { workerData } from "node:worker_threads";
import type { ShardOptions } from "../src/shard/api.ts";
import { serveShard } from "../src/shard/serve.ts";

serveShard(workerData as ShardOptions);
