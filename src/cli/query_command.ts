// `rubato query`: asks a server which traces a TraceQL query finds, and prints them as a table.
import { CommandError } from "./command_error.ts";
import { askJson, readJson } from "./json_answer.ts";
import { type Option, optionsHelp, parseOptions, wholeNumber } from "./options.ts";
import { printableJson } from "./printable.ts";
import { problemOf } from "./query_check.ts";
import { queryTable } from "./query_table.ts";
import { type FoundTrace, readSearchAnswer } from "./search_answer.ts";
import { serverOf, serverOptions } from "./server.ts";
import type { Terminal } from "./terminal.ts";
import { timeOptions, timeRange } from "./time_range.ts";

const options = {
  ...timeOptions,
  limit: { value: "N", help: "traces at most, the newest; default 20" },
  spss: { value: "N", help: "spans per span set at most; default 3" },
  spans: { help: "list the spans that matched, with their attributes" },
  json: { help: "print the server's answer as it is" },
  "no-check": { help: "send the query even if it is no TraceQL by this program's book" },
  ...serverOptions,
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const limitDefault = 20;

const help = `Finds traces by a TraceQL query and prints them, the newest first.

Usage: rubato query [options] '<traceql>'

  rubato query '{ status = error }'
  rubato query -since 6h -spans '{ resource.service.name = "cart" && duration > 1s }'
  rubato query -limit 100 '{ status = error } | count() > 3 | select(span.http.url)'

${optionsHelp(options)}
MATCHED is the spans that match and all spans of the trace, ERR those of the trace that failed. Ends with status 0, found
or not, with 1 if the server can't be reached or refuses, and with 2 if the command line or the query can't be used.
`;

/** @throws CommandError */
export async function query(argv: readonly string[], terminal: Terminal): Promise<void> {
  const { values, rest } = parseOptions(argv, options);
  if (values.help !== undefined) {
    terminal.out(help);
    return;
  }
  const [text, ...more] = rest;
  if (text === undefined)
    throw CommandError.usage(`expected a query, such as '{ status = error }'; see rubato query -help`);
  if (more.length > 0) throw CommandError.usage("expected one query: put it between single quotes");

  const server = serverOf(values);
  const now = new Date();
  const { start, end } = timeRange(values, now.getTime());
  const parameters = new URLSearchParams({ q: text, start: String(start), end: String(end) });
  const limit = values.limit === undefined ? limitDefault : wholeNumber("limit", values.limit);
  parameters.set("limit", String(limit));
  if (values.spss !== undefined) parameters.set("spss", String(wholeNumber("spss", values.spss)));
  if (values["no-check"] === undefined) {
    const problem = problemOf(text);
    if (problem !== null) throw CommandError.usage(problem);
  }

  const json = await askJson(server, `/api/search?${parameters}`, text);
  if (values.json !== undefined) {
    terminal.out(`${printableJson(json.trimEnd())}\n`);
    return;
  }
  print(readJson(json, readSearchAnswer, server), terminal, {
    spans: values.spans !== undefined,
    limit,
    now,
  });
}

function print(
  traces: readonly FoundTrace[],
  terminal: Terminal,
  { spans, limit, now }: { spans: boolean; limit: number; now: Date },
): void {
  if (traces.length === 0) {
    terminal.err("no traces match in this time range\n");
    return;
  }
  for (const line of queryTable(traces, terminal, spans, now)) terminal.out(`${line}\n`);
  const count = traces.length === 1 ? "1 trace" : `${traces.length} traces`;
  const perhapsMore = traces.length >= limit ? ", perhaps not all: -limit shows more" : "";
  terminal.err(`${count}${perhapsMore}\n`);
}
