// The worker thread of the pool that reads stored blocks.

import { workerData } from "node:worker_threads";
import { type BlockWorkerOptions, serveBlocks } from "../src/block/find_blocks.ts";

serveBlocks(workerData as BlockWorkerOptions);
