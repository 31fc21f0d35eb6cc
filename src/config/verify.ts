// -config.verify: says what a start with this configuration would meet, without starting.
import { ConfigError, type ConfigWarning, printProblem } from "./error.ts";
import { type LoadOptions, readConfig } from "./read.ts";

/**
 * Checks a configuration.
 *
 * @param earlier warnings of the command line, which come first
 * @returns whether it holds, and the lines for standard error: warnings, or every problem
 */
export async function verifyConfig(
  options: LoadOptions,
  earlier: readonly ConfigWarning[] = [],
): Promise<{ ok: boolean; lines: string[] }> {
  try {
    const { warnings } = await readConfig(options);
    return {
      ok: true,
      lines: [...earlier, ...warnings].map((warning) => `warning: ${printProblem(warning)}`),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ok: false, lines: error.problems.map((problem) => `error: ${printProblem(problem)}`) };
  }
}
