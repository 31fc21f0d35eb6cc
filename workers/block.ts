// The worker thread of the pool that reads stored blocks.

import { workerData } from "node:worker_threads";
import type { BlockWorkerOptions } from "../src/jobs/api.ts";
import { serveBlocks } from "../src/jobs/serve.ts";

serveBlocks(workerData as BlockWorkerOptions);
