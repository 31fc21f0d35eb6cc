// The program: serves, unless its first argument names one of the commands for a person at a terminal.
import process from "node:process";
import { isCommandName } from "./cli/commands.ts";

const [first, ...rest] = process.argv.slice(2);
if (isCommandName(first)) {
  const { runCommand } = await import("./cli/run.ts");
  process.exitCode = await runCommand(first, rest);
} else {
  const { start } = await import("./start.ts");
  await start(process.argv.slice(2));
}
