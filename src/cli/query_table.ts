// The answer to a query as a table: a line for each trace, below it its matched spans where they are wanted.
import { attributeText } from "./attribute.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { type Column, layOut } from "./columns.ts";
import { localTime, shortLocalTimes } from "./local_time.ts";
import { printable } from "./printable.ts";
import type { FoundSpan, FoundSpanSet, FoundTrace } from "./search_answer.ts";
import { shortDuration } from "./short_duration.ts";
import type { Terminal } from "./terminal.ts";
import { cut, pad } from "./text_width.ts";

const nanosPerMs = 1_000_000n;
/** Of the columns before a span's id. */
const offsetWidth = 9;
const durationWidth = 8;

/**
 * The lines of the table.
 *
 * @param spans whether to list the matched spans
 * @param now on a terminal the day is left out if all traces are of today, and the year if they are of this one
 */
export function queryTable(
  traces: readonly FoundTrace[],
  { columns, colours: coloured }: Pick<Terminal, "columns" | "colours">,
  spans: boolean,
  now: Date,
): string[] {
  const colours = coloursFor(coloured);
  const moments = traces.map(({ startNanos }) => startNanos);
  const starts = columns === null ? moments.map(localTime) : shortLocalTimes(moments, now);
  const rows = traces.map((trace, i) => ({ ...trace, start: starts[i]! }));
  const { header, lines } = layOut(traceColumns(colours), rows, columns, colours.title);
  const all = [header];
  for (const [i, trace] of traces.entries()) {
    all.push(lines[i]!);
    if (spans) all.push(...trace.spanSets.flatMap((set) => spanSetLines(set, trace, columns, colours)));
  }
  return all;
}

function traceColumns(colours: Colours): Column<FoundTrace & { start: string }>[] {
  const plain = () => (text: string) => text;
  return [
    { title: "START", text: ({ start }) => start, paint: () => colours.dim },
    { title: "DURATION", align: "right", text: ({ durationMs }) => milliseconds(durationMs), paint: plain },
    { title: "TRACE", text: ({ id }) => printable(id), paint: () => colours.id },
    {
      title: "SERVICE",
      text: ({ rootService }) => printable(rootService),
      paint: ({ rootService }) => colours.service(rootService),
      cutTo: { good: 8, least: 4 },
    },
    {
      title: "NAME",
      text: ({ rootName }) => printable(rootName),
      paint: plain,
      cutTo: { good: 16, least: 4 },
    },
    { title: "MATCHED", align: "right", text: matched, paint: plain, optional: true },
    { title: "ERR", align: "right", text: errors, paint: () => colours.failure },
    {
      title: "SERVICES",
      text: services,
      paint: () => colours.dim,
      cutTo: { good: 16, least: 16 },
      optional: true,
    },
  ];
}

/** How long a trace took by its whole milliseconds. */
function milliseconds(durationMs: bigint): string {
  return durationMs === 0n ? "<1ms" : shortDuration(durationMs * nanosPerMs);
}

/** `3/12`: spans that match, and all that the server has counted. */
function matched({ spanSets, services }: FoundTrace): string {
  const all = services.reduce((sum, { spans }) => sum + spans, 0n);
  const matching = spanSets.reduce((sum, set) => sum + set.matched, 0n);
  if (spanSets.length === 0) return services.length === 0 ? "" : String(all);
  return services.length === 0 ? String(matching) : `${matching}/${all}`;
}

function errors({ services }: FoundTrace): string {
  const sum = services.reduce((total, service) => total + service.errors, 0n);
  return sum === 0n ? "" : String(sum);
}

function services(trace: FoundTrace): string {
  return trace.services.map(({ name, spans }) => `${printable(name)} ${spans}`).join(", ");
}

function spanSetLines(
  { matched, attributes, spans }: FoundSpanSet,
  trace: FoundTrace,
  columns: number | null,
  colours: Colours,
): string[] {
  const lines: string[] = [];
  if (attributes.length > 0) lines.push(fitted("    ", attributes.map(attributeText), colours, columns));
  for (const span of spans) lines.push(spanLine(span, trace.startNanos, columns, colours));
  const more = matched - BigInt(spans.length);
  if (more > 0n) lines.push(`    ${colours.dim(`${more} more matched; -spss shows them`)}`);
  return lines;
}

function spanLine(
  span: FoundSpan,
  traceStartNanos: bigint,
  columns: number | null,
  colours: Colours,
): string {
  const since = span.startNanos - traceStartNanos;
  const offset = `${since < 0n ? "" : "+"}${shortDuration(since)}`;
  const duration = shortDuration(span.durationNanos);
  const fixed = `    ${pad(offset, offsetWidth, "right", colours.dim)}  ${pad(duration, durationWidth, "right")}  `;
  const id = printable(span.id);
  const left = columns === null ? null : columns - 4 - offsetWidth - 2 - durationWidth - 2 - id.length;
  const name = span.name === "" ? "" : `  ${printable(span.name)}`;
  const shownName = left === null ? name : cut(name, left);
  const texts = span.attributes.map(attributeText);
  const rest = texts.length === 0 ? "" : `  ${texts.join(" ")}`;
  const shownRest = left === null ? rest : cut(rest, Math.max(0, left - shownName.length));
  return `${fixed}${colours.id(id)}${shownName}${colours.dim(shownRest)}`.trimEnd();
}

function fitted(indent: string, texts: string[], colours: Colours, columns: number | null): string {
  const whole = texts.join(" ");
  return indent + colours.key(columns === null ? whole : cut(whole, columns - indent.length));
}
