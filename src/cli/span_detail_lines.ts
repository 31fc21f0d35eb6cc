// What a span says besides its times, a line each: kind and status, attributes, events, links.
import { type Attribute, attributeText, valueText } from "./attribute.ts";
import type { Colours } from "./colours.ts";
import { printable } from "./printable.ts";
import type { Segment } from "./segments.ts";
import { shortDuration } from "./short_duration.ts";
import type { SpanDetails, TraceSpan } from "./trace.ts";

const plain = (text: string): string => text;

export function spanDetailLines(span: TraceSpan, colours: Colours): Segment[][] {
  try {
    return linesOf(span, span.details(), colours);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [[[`can't be decoded: ${printable(reason)}`, colours.warning]]];
  }
}

function linesOf(span: TraceSpan, details: SpanDetails, colours: Colours): Segment[][] {
  const { kind, status, statusMessage, attributes, events, links } = details;
  const lines: Segment[][] = [
    [
      ["span ", colours.dim],
      [span.id, plain],
      ["  kind ", colours.dim],
      [kind, plain],
    ],
  ];
  if (status !== "unset") {
    const message = statusMessage === "" ? "" : ` ${valueText(statusMessage)}`;
    lines.push([
      ["status ", colours.dim],
      [`${status}${message}`, status === "error" ? colours.failure : plain],
    ]);
  }
  for (const attribute of attributes) lines.push(attributeSegments(attribute, colours));
  for (const { time, name, attributes } of events) {
    const since = time - span.start;
    lines.push([
      ["event ", colours.dim],
      [`${since < 0n ? "" : "+"}${shortDuration(since)} ${printable(name)}`, plain],
      ...listed(attributes, colours),
    ]);
  }
  for (const { traceId, spanId, attributes } of links) {
    lines.push([["link ", colours.dim], [`${traceId} ${spanId}`, plain], ...listed(attributes, colours)]);
  }
  return lines;
}

function attributeSegments({ key, value }: Attribute, colours: Colours): Segment[] {
  return [
    [`${printable(key)}`, colours.key],
    [`=${valueText(value)}`, plain],
  ];
}

function listed(attributes: readonly Attribute[], { dim }: Colours): Segment[] {
  return attributes.map((attribute): Segment => [` ${attributeText(attribute)}`, dim]);
}
