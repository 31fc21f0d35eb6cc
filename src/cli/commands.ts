// The names of the commands, apart from their code, so that the server loads none of it.

/** With what -help says about each. */
export const commandHelp = {
  query: { usage: "query '<traceql>'", help: "find traces on a running server and print them as a table" },
  metrics: {
    usage: "metrics '<traceql>'",
    help: "draw a TraceQL metrics query of a running server as a chart",
  },
  trace: { usage: "trace <id>", help: "draw the waterfall of one trace" },
  blocks: { usage: "blocks list", help: "list, view and verify the blocks of a store, without a server" },
} as const;

export type CommandName = keyof typeof commandHelp;

export function isCommandName(name: string | undefined): name is CommandName {
  return name !== undefined && Object.hasOwn(commandHelp, name);
}
