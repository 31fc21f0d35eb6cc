// The waterfall: a line for each span with its place in the tree, its service and name, and a bar for when it ran.
import { attributeText } from "./attribute.ts";
import { bar, type Scale } from "./bar.ts";
import { type Colours, coloursFor } from "./colours.ts";
import { asciiOnly, boxes, type Drawing } from "./drawing.ts";
import { localTime } from "./local_time.ts";
import { printable } from "./printable.ts";
import { joinSegments, type Segment, segmentsWidth } from "./segments.ts";
import { shortDuration } from "./short_duration.ts";
import { spanDetailLines } from "./span_detail_lines.ts";
import { branchesMax, type SpanTree, spanTree, type TreeRow } from "./span_tree.ts";
import type { Terminal } from "./terminal.ts";
import { pad } from "./text_width.ts";
import type { Trace, TraceSpan } from "./trace.ts";
import { branchText, trunkText } from "./tree_lines.ts";

export interface WaterfallOptions {
  /** Spans drawn at most; 0: all. */
  limit: number;
  attributes: boolean;
  ascii: boolean;
}

const gap = "  ";
const durationWidth = 8;
const markWidth = 2;
/** Of the terminal, for the tree at most. */
const labelShare = 0.45;
const labelWidthMin = 20;
/** Of that, for the lines that lead to the parents. */
const treeShare = 0.5;
const barWidthMin = 10;
/** Where the output is no terminal. */
const barWidthPiped = 40;

interface Sheet {
  trace: Trace;
  scale: Scale;
  labelWidth: number;
  columns: number | null;
  colours: Colours;
  drawing: Drawing;
}

/** Lines of the whole picture. Takes them one by one, as there may be very many. */
export function* waterfall(
  id: string,
  trace: Trace,
  { columns, colours: coloured }: Pick<Terminal, "columns" | "colours">,
  { limit, attributes, ascii }: WaterfallOptions,
): Generator<string, void, void> {
  const colours = coloursFor(coloured);
  const drawing = ascii ? asciiOnly : boxes;
  const tree = spanTree(trace.spans, limit);
  const { start, length } = timeOf(trace.spans);
  const room = columns === null ? null : Math.max(labelWidthMin, Math.floor(columns * labelShare));
  const levels = room === null ? branchesMax : Math.floor((room * treeShare) / drawing.branch.length);
  const labels = tree.rows.map((row) => label(row, branchText(row, levels, drawing), trace, colours));
  const natural = labels.reduce((most, segments) => Math.max(most, segmentsWidth(segments)), 0);
  const labelWidth = room === null ? natural : Math.min(natural, room);
  const beside = labelWidth + 2 * gap.length + durationWidth + markWidth;
  const width = columns === null ? barWidthPiped : Math.max(barWidthMin, columns - beside);
  const sheet: Sheet = { trace, scale: { start, length, width }, labelWidth, columns, colours, drawing };

  yield* title(id, tree.rows[0]!.span, sheet);
  yield "";
  if (start !== 0n) yield colours.dim(`${" ".repeat(labelWidth)}${gap}${ticks(sheet.scale)}`);
  for (const [i, row] of tree.rows.entries()) {
    yield spanLine(row, labels[i]!, sheet);
    if (attributes) {
      const indent: Segment = [trunkText(row, levels, drawing), colours.dim];
      for (const segments of spanDetailLines(row.span, colours)) {
        yield joinSegments([indent, ...segments], columns, drawing.cut);
      }
    }
  }
  yield* notes(tree, colours);
  if (attributes) yield* resourceLines(tree, sheet);
}

/** From the first start to the last end of spans that say when they ran. */
function timeOf(spans: readonly TraceSpan[]): { start: bigint; length: bigint } {
  let start: bigint | null = null;
  let end = 0n;
  for (const span of spans) {
    if (span.start === 0n) continue;
    if (start === null || span.start < start) start = span.start;
    if (span.start > end) end = span.start;
    if (span.end > end) end = span.end;
  }
  return start === null ? { start: 0n, length: 1n } : { start, length: end > start ? end - start : 1n };
}

function* title(id: string, first: TraceSpan, { trace, scale, columns, colours }: Sheet): Generator<string> {
  const { spans, resources } = trace;
  const service = resources[first.resource]!.service;
  const root: Segment[] = [
    ["Trace ", colours.title],
    [printable(id), colours.id],
    [gap, plain],
    [printable(service), colours.service(service)],
    [` ${printable(first.name)}`, colours.title],
  ];
  yield joinSegments(root, columns).trimEnd();
  const services = new Set(spans.map((span) => resources[span.resource]!.service)).size;
  const failed = spans.reduce((count, span) => count + (span.failed ? 1 : 0), 0);
  const when =
    scale.start === 0n ? "at an unknown time" : `${localTime(scale.start)}, ${shortDuration(scale.length)}`;
  const facts: Segment[] = [
    [`${when}, ${counted(spans.length, "span")} of ${counted(services, "service")}`, plain],
  ];
  if (failed > 0) facts.push([", ", plain], [`${failed} failed`, colours.failure]);
  yield joinSegments(facts, columns);
}

function label(
  { span, hiddenBelow, lost }: TreeRow,
  lines: string,
  trace: Trace,
  colours: Colours,
): Segment[] {
  const service = trace.resources[span.resource]!.service;
  const segments: Segment[] = [
    [lines, colours.dim],
    [printable(service), colours.service(service)],
    [`${service === "" ? "" : " "}${printable(span.name)}`, span.failed ? colours.failure : plain],
  ];
  if (hiddenBelow > 0) segments.push([` +${hiddenBelow}`, colours.warning]);
  if (lost === "orphan") segments.push([` (parent ${span.parentId} is missing)`, colours.dim]);
  if (lost === "cycle") segments.push([" (its own ancestor)", colours.dim]);
  return segments;
}

function spanLine({ span }: TreeRow, segments: Segment[], sheet: Sheet): string {
  const { trace, scale, labelWidth, colours, drawing } = sheet;
  const spaces = " ".repeat(Math.max(0, labelWidth - segmentsWidth(segments)));
  const service = trace.resources[span.resource]!.service;
  const timed = span.start !== 0n;
  const drawn = timed ? bar(span, scale, drawing) : " ".repeat(scale.width);
  const painted = drawn.replace(/\S+/, colours.service(service));
  const duration = timed ? shortDuration(span.end - span.start) : "?";
  const mark = span.failed ? ` ${colours.failure(drawing.failed)}` : "";
  const left = joinSegments(segments, labelWidth, drawing.cut) + spaces;
  return `${left}${gap}${painted}${gap}${pad(duration, durationWidth, "right")}${mark}`;
}

const tickPlaces = [0.25, 0.5, 0.75] as const;
const tickRoom = 14;

/** The scale's times above the bars: at its ends, and between them as far as there is room. */
function ticks({ length, width }: Scale): string {
  const end = shortDuration(length);
  let line = "0";
  const places = width >= tickRoom * 4 ? tickPlaces : width >= tickRoom * 2 ? tickPlaces.slice(1, 2) : [];
  for (const place of places) {
    const at = Math.floor(place * width);
    const text = shortDuration(BigInt(Math.round(Number(length) * place)));
    line = line.padEnd(at) + text;
  }
  return line.padEnd(width - end.length) + end;
}

function* notes({ hidden, hiddenFailed }: SpanTree, colours: Colours): Generator<string> {
  if (hidden === 0) return;
  const failed = hiddenFailed === 0 ? "" : `, ${hiddenFailed} of them failed`;
  yield "";
  yield colours.warning(`${counted(hidden, "more span")} not shown${failed}; -limit=0 shows all`);
}

function* resourceLines({ rows }: SpanTree, { trace, columns, colours, drawing }: Sheet): Generator<string> {
  const texts = new Set(
    rows.map(({ span }) => trace.resources[span.resource]!.attributes.map(attributeText).join(" ")),
  );
  yield "";
  yield colours.title("Resources");
  for (const text of texts) {
    if (text !== "")
      yield joinSegments(
        [
          [gap, plain],
          [text, plain],
        ],
        columns,
        drawing.cut,
      );
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function plain(text: string): string {
  return text;
}
