// The listings of tags as JSON.
import { JsonText } from "./json_text.ts";
import { writeMessage } from "./message_json.ts";
import { metadataMetrics, metadataMetricsMessage } from "./search_messages.ts";
import type { TagsMetrics, TagValues } from "./search_types.ts";
import type { ListedNames, ListedScopes, ListedValues } from "./tag_queries.ts";

const encoder = new TextEncoder();

/** Answer of `/api/search/tags`. */
export function namesJson({ names, metrics }: ListedNames): Uint8Array {
  return listing(metrics, (out) => {
    out.text('"tagNames":');
    writeStrings(out, names);
  });
}

/** Answer of `/api/v2/search/tags`. Every scope has its list: Grafana fails without. */
export function scopesJson({ scopes, metrics }: ListedScopes): Uint8Array {
  return listing(metrics, (out) => {
    out.text('"scopes":[');
    for (const { name, tags } of scopes) {
      out.separate();
      out.text('{"name":');
      writeString(out, name);
      out.text(',"tags":');
      writeStrings(out, tags);
      out.text("}");
    }
    out.text("]");
  });
}

/** Answer of `/api/search/tag/{name}/values`. */
export function valuesJson({ values, metrics }: ListedValues): Uint8Array {
  return listing(metrics, (out) => {
    out.text('"tagValues":');
    writeStrings(out, values);
  });
}

/** Answer of `/api/v2/search/tag/{name}/values`. */
export function typedValuesJson({ values, metrics }: TagValues): Uint8Array {
  return listing(metrics, (out) => {
    out.text('"tagValues":[');
    for (const { type, value } of values) {
      out.separate();
      out.text(`{"type":"${type}"`);
      if (value !== "") {
        out.text(',"value":');
        writeString(out, value);
      }
      out.text("}");
    }
    out.text("]");
  });
}

/** The same for language models: lists by type, and numbers that are numbers. */
export function typedValuesLlmJson({ values, metrics }: TagValues): Uint8Array {
  const out = new JsonText();
  out.text('{"tagValues":{');
  const byType = Map.groupBy(values, ({ type }) => type);
  for (const type of [...byType.keys()].sort()) {
    out.separate();
    out.text(`"${type}":`);
    const texts = byType.get(type)!.map(({ value }) => value);
    writeStrings(out, texts);
  }
  const measured = Object.entries(metrics).filter(([, value]) => value !== 0);
  out.text(`},"metrics":${JSON.stringify(Object.fromEntries(measured))}}`);
  return out.bytes();
}

function listing(metrics: TagsMetrics, write: (out: JsonText) => void): Uint8Array {
  const out = new JsonText();
  out.text("{");
  write(out);
  out.text(',"metrics":');
  writeMessage(out, metadataMetricsMessage(metrics), metadataMetrics);
  out.text("}");
  return out.bytes();
}

function writeStrings(out: JsonText, texts: string[]): void {
  out.text("[");
  for (const text of texts) {
    out.separate();
    writeString(out, text);
  }
  out.text("]");
}

function writeString(out: JsonText, text: string): void {
  const bytes = encoder.encode(text);
  out.string(bytes, 0, bytes.length);
}
