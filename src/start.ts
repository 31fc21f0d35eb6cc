// The server's command line: reads its flags and does what they say.
import process from "node:process";
import { type Command, helpText, parseCommandLine } from "./config/command_line.ts";
import { ConfigError, printProblem } from "./config/error.ts";
import { readConfig } from "./config/read.ts";
import { verifyConfig } from "./config/verify.ts";
import { log } from "./telemetry/log.ts";

/** Exit status of a command line or configuration that can't be used. */
const usageStatus = 2;

/** @param argv the arguments after the program's name */
export async function start(argv: readonly string[]): Promise<void> {
  const command = parseCommandLine(argv);
  switch (command.kind) {
    case "help":
      process.stdout.write(helpText());
      break;
    case "version": {
      const { versionText } = await import("./telemetry/build_info.ts");
      process.stdout.write(versionText());
      break;
    }
    case "error":
      fail(`rubato: ${command.message}\n`);
      break;
    case "verify": {
      const { ok, lines } = await verifyConfig(command.options, command.warnings);
      for (const line of lines) process.stderr.write(`${line}\n`);
      if (!ok) process.exitCode = 1;
      break;
    }
    case "serve":
      await run(command);
      break;
  }
}

function fail(text: string): void {
  process.stderr.write(text);
  process.exitCode = usageStatus;
}

async function run({ options, warnings: earlier }: Command & { kind: "serve" }): Promise<void> {
  try {
    const { config, warnings } = await readConfig(options);
    log.configure({ level: config.server.log_level, format: config.server.log_format });
    for (const warning of [...earlier, ...warnings]) log.warn(printProblem(warning));
    const { serve } = await import("./serve.ts");
    const running = await serve(config);
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => {
        log.info("signal received", { signal });
        running.shutdown();
      });
    }
    await running.stopped;
    process.exit(0);
  } catch (error) {
    if (error instanceof ConfigError) {
      fail(error.problems.map((problem) => `error: ${printProblem(problem)}\n`).join(""));
    } else {
      log.error("start failed", { error: error as Error });
      process.exit(1);
    }
  }
}
