// `rubato trace`: gets a trace by its id and draws its waterfall.
import { CommandError } from "./command_error.ts";
import { fetchTrace, fetchTraceJson } from "./fetch_trace.ts";
import { type Option, optionsHelp, parseOptions, wholeNumber } from "./options.ts";
import { printable, printableJson } from "./printable.ts";
import { serverOf, serverOptions } from "./server.ts";
import type { Terminal } from "./terminal.ts";
import { waterfall } from "./waterfall.ts";

const options = {
  attributes: { help: "show each span's kind, status, attributes, events and links, and the resources" },
  limit: { value: "N", help: "spans drawn at most, those nearest to the root; default 500, 0 for all" },
  ascii: { help: "draw with plain ASCII" },
  json: { help: "print the server's answer as it is" },
  ...serverOptions,
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const limitDefault = 500;

const help = `Draws the waterfall of a trace.

Usage: rubato trace [options] <id>

  rubato trace 2f3e0cee77ae5dc9c17ade3689eb2e54
  rubato trace -attributes 2f3e0cee77ae5dc9c17ade3689eb2e54 | less -S

${optionsHelp(options)}
A span that failed is marked; +3 after a name says that three spans below it are not drawn. Ends with status 0, with 1 if
the server can't be reached, refuses or has no such trace, and with 2 if the command line can't be used.
`;

/** @throws CommandError */
export async function trace(argv: readonly string[], terminal: Terminal): Promise<void> {
  const { values, rest } = parseOptions(argv, options);
  if (values.help !== undefined) {
    terminal.out(help);
    return;
  }
  const [id, ...more] = rest;
  if (id === undefined || more.length > 0)
    throw CommandError.usage("expected the id of one trace; see rubato trace -help");
  if (!/^[0-9a-f]{1,32}$/i.test(id))
    throw CommandError.usage(`expected a trace id of up to 32 hex digits, found "${printable(id)}"`);
  const server = serverOf(values);
  const limit = values.limit === undefined ? limitDefault : wholeNumber("limit", values.limit);
  if (values.json !== undefined) {
    terminal.out(`${printableJson((await fetchTraceJson(server, id)).trimEnd())}\n`);
    return;
  }

  const found = await fetchTrace(server, id);
  if (found.partial !== null) {
    const reason = found.partial === "" ? "" : `: ${printable(found.partial)}`;
    terminal.err(`warning: the trace is not whole${reason}\n`);
  }
  const ascii = values.ascii !== undefined;
  for (const line of waterfall(id, found, terminal, {
    limit,
    attributes: values.attributes !== undefined,
    ascii,
  }))
    terminal.out(`${line.trimEnd()}\n`);
}
