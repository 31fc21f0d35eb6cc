// `rubato metrics`: asks a server for the series of a TraceQL metrics query, and draws them.
import { parseDuration, printDuration } from "../traceql/index.ts";
import { columnsPiped } from "./chart_sheet.ts";
import { coloursFor } from "./colours.ts";
import { CommandError } from "./command_error.ts";
import { askJson, readJson } from "./json_answer.ts";
import { readMetricsAnswer } from "./metrics_answer.ts";
import { instantChart, type MetricsChart, rangeChart } from "./metrics_chart.ts";
import { type Option, optionsHelp, parseOptions, wholeNumber } from "./options.ts";
import { printable, printableJson } from "./printable.ts";
import { unitsOf } from "./quantity.ts";
import { metricsProblemOf } from "./query_check.ts";
import { serverOf, serverOptions } from "./server.ts";
import type { Terminal } from "./terminal.ts";
import { onGrid, stepFor, timeGrid } from "./time_grid.ts";
import { type TimeRange, timeOptions, timeRange } from "./time_range.ts";

const options = {
  ...timeOptions,
  step: { value: "DURATION", help: "from value to value, such as 15s or 5m; default what fits the width" },
  limit: { value: "N", help: "series drawn at most, the highest; default 10, 0 for all" },
  instant: { help: "one value for the whole range, as a table with bars" },
  json: { help: "print the server's answer as it is" },
  "no-check": { help: "send the query even if it is no TraceQL by this program's book" },
  ...serverOptions,
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const limitDefault = 10;
/** Columns that are left for the marks of an axis, and for intervals that rounding adds. */
const besideIntervals = 16;
const intervalsMin = 20;
/** Tempo's own maximum. */
const intervalsMax = 10_000;
const nanosPerMs = 1_000_000n;

const help = `Asks for the series of a TraceQL metrics query and draws them: as lines, as a small chart for each where there are many,
and histograms as heat maps.

Usage: rubato metrics [options] '<traceql>'

  rubato metrics '{ status = error } | rate() by (resource.service.name)'
  rubato metrics -since 6h '{ kind = server } | quantile_over_time(duration, .5, .99)'
  rubato metrics '{ name = "GET /cart" } | histogram_over_time(duration)'
  rubato metrics -instant '{} | count_over_time() by (name)'

${optionsHelp(options)}
A blank is an interval without a sample; a zero is drawn. The last interval may not be over yet. Ends with status 0, with
series or without, with 1 if the server can't be reached or refuses, and with 2 if the command line or the query can't be
used.
`;

/** @throws CommandError */
export async function metrics(argv: readonly string[], terminal: Terminal): Promise<void> {
  const { values, rest } = parseOptions(argv, options);
  if (values.help !== undefined) {
    terminal.out(help);
    return;
  }
  const [text, ...more] = rest;
  if (text === undefined)
    throw CommandError.usage("expected a query, such as '{} | rate()'; see rubato metrics -help");
  if (more.length > 0) throw CommandError.usage("expected one query: put it between single quotes");

  const server = serverOf(values);
  const range = timeRange(values, Date.now());
  const limit = values.limit === undefined ? limitDefault : wholeNumber("limit", values.limit);
  const instant = values.instant !== undefined;
  if (instant && values.step !== undefined) throw CommandError.usage("-instant and -step exclude each other");
  const stepMs = stepOf(values.step, range, terminal);
  if (values["no-check"] === undefined) {
    const problem = metricsProblemOf(text);
    if (problem !== null) throw CommandError.usage(problem);
  }

  const parameters = new URLSearchParams({ q: text, start: String(range.start), end: String(range.end) });
  if (!instant) parameters.set("step", printDuration(BigInt(stepMs) * nanosPerMs));
  const path = instant ? "/api/metrics/query" : "/api/metrics/query_range";
  const json = await askJson(server, `${path}?${parameters}`, text);
  const { series, partial } = readJson(json, readMetricsAnswer, server);
  if (partial !== null) {
    const reason = partial === "" ? "" : `: ${printable(partial)}`;
    terminal.err(`warning: the answer is not whole${reason}\n`);
  }
  if (values.json !== undefined) {
    terminal.out(`${printableJson(json.trimEnd())}\n`);
    return;
  }
  const grid = timeGrid(range, stepMs);
  const drawn = series
    .map(({ labels, samples, value }) => ({
      labels,
      values: instant ? Float64Array.of(value) : onGrid(samples, grid),
    }))
    .filter(({ values: present }) => present.some((value) => !Number.isNaN(value)));
  const sheet = {
    grid,
    units: unitsOf(text),
    columns: terminal.columns,
    colours: coloursFor(terminal.colours),
  };
  if (drawn.length === 0) terminal.err("no series: no span counts in this time range\n");
  else if (instant) print(instantChart(drawn, sheet, limit), terminal);
  else print(rangeChart(drawn, sheet, limit, terminal.colours), terminal);
}

/** In milliseconds. */
function stepOf(given: string | undefined, range: TimeRange, { columns }: Terminal): number {
  if (given === undefined) {
    return stepFor(range, Math.max(intervalsMin, (columns ?? columnsPiped) - besideIntervals));
  }
  const nanoseconds = parseDuration(given);
  if (nanoseconds === undefined || nanoseconds === 0n || nanoseconds % nanosPerMs !== 0n)
    throw CommandError.usage(
      `-step: expected a duration of whole milliseconds such as 15s or 5m, found "${printable(given)}"`,
    );
  const stepMs = Number(nanoseconds / nanosPerMs);
  if (((range.end - range.start) * 1000) / stepMs > intervalsMax)
    throw CommandError.usage(`-step: too short, the range has more than ${intervalsMax} such intervals`);
  return stepMs;
}

function print({ lines, note }: MetricsChart, terminal: Terminal): void {
  for (const line of lines) terminal.out(`${line.trimEnd()}\n`);
  terminal.err(`${note}\n`);
}
