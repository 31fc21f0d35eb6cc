// The answers of metrics queries as JSON: samples straight from their numbers, everything else from the messages of the series.
import { JsonText } from "./json_text.ts";
import { writeMessage } from "./message_json.ts";
import {
  exemplar,
  exemplarMessage,
  instantSeries,
  instantSeriesMessage,
  keyValueMessage,
} from "./metrics_messages.ts";
import type { MetricsPart } from "./metrics_queries.ts";
import type { Series } from "./metrics_types.ts";
import { keyValue } from "./otlp_messages.ts";
import { SampleText } from "./sample_text.ts";
import { searchMetrics, searchMetricsMessage } from "./search_messages.ts";

/** What a series takes besides its samples, and an answer besides its series, for the most part. */
const seriesBytes = 300;
const headBytes = 16 << 10;

/** tempopb.QueryRangeResponse */
export function rangeJson(answer: MetricsPart): Uint8Array {
  const samples = new SampleText(answer.timesMs);
  return responseJson(answer, samples.bytes * answer.series.length, (out, { labels, values, exemplars }) => {
    out.text('{"labels":[');
    for (const label of labels) {
      out.separate();
      writeMessage(out, keyValueMessage(label), keyValue);
    }
    out.text('],"samples":');
    samples.write(out, values);
    if (exemplars.length > 0) {
      out.text(',"exemplars":[');
      for (const each of exemplars) {
        out.separate();
        writeMessage(out, exemplarMessage(each), exemplar);
      }
      out.text("]");
    }
    out.text("}");
  });
}

/** tempopb.QueryInstantResponse */
export function instantJson(answer: MetricsPart): Uint8Array {
  return responseJson(answer, 0, (out, series) =>
    writeMessage(out, instantSeriesMessage(series), instantSeries),
  );
}

function responseJson(
  { series, metrics, partial }: MetricsPart,
  samplesBytes: number,
  write: (out: JsonText, series: Series) => void,
): Uint8Array {
  // Room for all that is not a number of many digits: growing would copy it all.
  const out = new JsonText(samplesBytes + series.length * seriesBytes + headBytes);
  out.text('{"series":[');
  for (const each of series) {
    out.separate();
    write(out, each);
  }
  out.text('],"metrics":');
  writeMessage(out, searchMetricsMessage(metrics), searchMetrics);
  if (partial !== null) {
    const message = Buffer.from(partial);
    out.text(',"status":"PARTIAL","message":');
    out.string(message, 0, message.length);
  }
  out.text("}");
  return out.bytes();
}
