// The way in: a configuration from what the command line says. The YAML and zod libraries and what they leave behind take 13 MB, so
// they live in a worker that ends when the configuration is read, and are loaded only when there is something to read.
import { Worker } from "node:worker_threads";
import type { Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import { ConfigError, type ConfigProblem, type ConfigWarning } from "./error.ts";
import type { Environment } from "./expand.ts";

export interface LoadOptions {
  /** Path of a YAML file. */
  file?: string;
  /** Its text, when it is not to be read from the disk. */
  text?: string;
  /** Replace `${NAME}` in the text. */
  expandEnv?: boolean;
  /** Where names are looked up; the process's own environment by default. */
  env?: Environment;
  /** Values that beat the file's, by dotted path. */
  flags?: readonly Flag[];
}

export interface Flag {
  /** As it was given, without dashes. */
  name: string;
  /** The key it sets. */
  key: string;
  value: string;
}

export interface Loaded {
  config: Config;
  warnings: ConfigWarning[];
}

/** What the worker answers: the configuration, or what is wrong with it. */
export type ReadAnswer = { loaded: Loaded } | { problems: ConfigProblem[] };

/**
 * Reads and checks a configuration; without file, text and flags it is the defaults.
 *
 * @throws ConfigError with every problem found
 */
export async function readConfig(options: LoadOptions): Promise<Loaded> {
  if (options.file === undefined && options.text === undefined && !options.flags?.length) {
    return { config: defaultConfig(), warnings: [] };
  }
  const worker = new Worker(new URL("../../workers/config.ts", import.meta.url), {
    name: "config",
    workerData: options,
  });
  try {
    const answer = await new Promise<ReadAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (status) => reject(new Error(`reading the configuration ended with ${status}`)));
    });
    if ("problems" in answer) throw new ConfigError(answer.problems);
    return answer.loaded;
  } finally {
    await worker.terminate();
  }
}
