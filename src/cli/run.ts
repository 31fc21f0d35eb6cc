// The commands for a person at a terminal. They talk to a server over HTTP, and share nothing with the server's own code; only
// `blocks` reads a store itself, and is loaded when it is called.
import { CommandError } from "./command_error.ts";
import type { CommandName } from "./commands.ts";
import { metrics } from "./metrics_command.ts";
import { query } from "./query_command.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { trace } from "./trace_command.ts";

const commands: Record<CommandName, (argv: readonly string[], terminal: Terminal) => Promise<void>> = {
  query,
  metrics,
  trace,
  blocks: async (argv, terminal) => (await import("../inspect/command.ts")).blocks(argv, terminal),
};

/**
 * Runs a command to its end.
 *
 * @param argv the arguments after its name
 * @returns the exit status
 */
export async function runCommand(
  name: CommandName,
  argv: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  try {
    await commands[name](argv, terminal);
    return 0;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    terminal.err(`rubato ${name}: ${error.message}\n`);
    return error.exitStatus;
  }
}
