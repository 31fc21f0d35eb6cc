// The worker thread that reads the configuration, once.

import { parentPort, workerData } from "node:worker_threads";
import { ConfigError } from "../src/config/error.ts";
import { loadConfig } from "../src/config/load.ts";
import type { LoadOptions, ReadAnswer } from "../src/config/read.ts";

parentPort?.postMessage(answer(workerData as LoadOptions));

function answer(options: LoadOptions): ReadAnswer {
  try {
    return { loaded: loadConfig(options) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { problems: error.problems };
  }
}
