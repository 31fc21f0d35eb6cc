// The series of TraceQL metrics as protobuf messages, and these as tables.

import type { Label, LabelValue } from "../search/labels.ts";
import { field, many, message } from "./message_table.ts";
import type { Exemplar, Series } from "./metrics_types.ts";
import { keyValue } from "./otlp_messages.ts";
import { framed, framedSize, varintSize, wireFixed64, wireVarint, writeFrame, writeVarint } from "./wire.ts";

export const exemplar = message([
  many(1, "labels", keyValue),
  field(2, "value", "double"),
  field(3, "timestampMs", "int64"),
]);

/** tempopb.InstantSeries */
export const instantSeries = message([many(1, "labels", keyValue), field(2, "value", "double")]);

/**
 * tempopb.TimeSeries
 *
 * @param timesMs of the samples, by interval
 */
export function timeSeriesMessage({ labels, values, exemplars }: Series, timesMs: Float64Array): Uint8Array {
  return Buffer.concat([
    ...labels.map((label) => framed(1, keyValueMessage(label))),
    samplesOf(values, timesMs),
    ...exemplars.map((each) => framed(4, exemplarMessage(each))),
  ]);
}

/** tempopb.InstantSeries */
export function instantSeriesMessage({ labels, values }: Series): Uint8Array {
  return Buffer.concat([...labels.map((label) => framed(1, keyValueMessage(label))), double(2, values[0]!)]);
}

/** A tag and a double; a tag and a varint of a time in this age; the frame around them. */
const sampleBytesMax = 9 + 9 + 2;

/** What a series takes as a message, at most. */
export function seriesBytes({ labels, values, exemplars }: Series): number {
  const labelBytes = (list: Label[]) =>
    list.reduce((sum, label) => sum + framedSize(keyValueMessage(label).length), 0);
  return exemplars.reduce(
    (sum, each) => sum + sampleBytesMax + labelBytes(each.labels),
    labelBytes(labels) + samplesIn(values) * sampleBytesMax,
  );
}

function samplesIn(values: Float64Array): number {
  let samples = 0;
  // By index: an iterator takes longer than all the rest.
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) samples++;
  return samples;
}

/** The samples as fields of a series, written into one buffer: there may be thousands. */
function samplesOf(values: Float64Array, timesMs: Float64Array): Uint8Array {
  const out = new Uint8Array(samplesIn(values) * sampleBytesMax);
  const view = new DataView(out.buffer);
  let at = 0;
  for (let interval = 0; interval < values.length; interval++) {
    const value = values[interval]!;
    if (Number.isNaN(value)) continue;
    const timeMs = timesMs[interval]!;
    const valueBytes = value === 0 ? 0 : 9;
    const timeBytes = timeMs === 0 ? 0 : 1 + varintSize(timeMs);
    at = writeFrame(out, at, 2, valueBytes + timeBytes);
    if (valueBytes > 0) {
      out[at] = (1 << 3) | wireFixed64;
      view.setFloat64(at + 1, value, true);
      at += valueBytes;
    }
    if (timeBytes > 0) {
      out[at] = (2 << 3) | wireVarint;
      at = writeVarint(out, at + 1, timeMs);
    }
  }
  return out.subarray(0, at);
}

/** tempopb.Exemplar */
export function exemplarMessage({ labels, value, timestampMs }: Exemplar): Uint8Array {
  return Buffer.concat([
    ...labels.map((label) => framed(1, keyValueMessage(label))),
    double(2, value),
    timestampMs === 0 ? none : varint(3, BigInt(timestampMs)),
  ]);
}

/** opentelemetry.proto.common.v1.KeyValue */
export function keyValueMessage({ key, value }: Label): Uint8Array {
  return Buffer.concat([framed(1, Buffer.from(key)), framed(2, anyValueMessage(value))]);
}

/** Of alternatives the one that is set is there even if it is zero. */
function anyValueMessage({ type, value }: LabelValue): Uint8Array {
  switch (type) {
    case "string":
      return framed(1, Buffer.from(value));
    case "bool":
      return varint(2, value ? 1n : 0n);
    case "int":
      return varint(3, value);
    case "double":
      return doubleField(4, value);
  }
}

const none = new Uint8Array(0);

function double(number: number, value: number): Uint8Array {
  return value === 0 ? none : doubleField(number, value);
}

function doubleField(number: number, value: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = (number << 3) | wireFixed64;
  new DataView(out.buffer).setFloat64(1, value, true);
  return out;
}

function varint(number: number, value: bigint): Uint8Array {
  const out = [(number << 3) | wireVarint];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
  return Uint8Array.from(out);
}
