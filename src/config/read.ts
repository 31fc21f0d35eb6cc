// The way in: a configuration from what the command line says. Only this loads the YAML and zod libraries, and only
// when there is something to read: they cost 10 MB and 30 ms, which a server without a file need not pay.
import type { Config } from "./config.ts";
import { defaultConfig } from "./defaults.ts";
import type { ConfigWarning } from "./error.ts";
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

/**
 * Reads and checks a configuration; without file, text and flags it is the defaults.
 *
 * @throws ConfigError with every problem found
 */
export async function readConfig(options: LoadOptions): Promise<Loaded> {
  if (options.file === undefined && options.text === undefined && !options.flags?.length) {
    return { config: defaultConfig(), warnings: [] };
  }
  const { loadConfig } = await import("./load.ts");
  return loadConfig(options);
}
