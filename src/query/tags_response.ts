// The listings of tags as protobuf: tempopb's SearchTagsResponse and its relatives, which all have a list and metrics.
import { metadataMetricsMessage } from "./search_messages.ts";
import type { TagsMetrics, TagValues } from "./search_types.ts";
import type { ListedNames, ListedScopes, ListedValues } from "./tag_queries.ts";
import { framed } from "./wire.ts";

/** tempopb.SearchTagsResponse */
export function namesResponse({ names, metrics }: ListedNames): Uint8Array {
  return response(names.map(text), metrics);
}

/** tempopb.SearchTagsV2Response */
export function scopesResponse({ scopes, metrics }: ListedScopes): Uint8Array {
  const messages = scopes.map(({ name, tags }) =>
    Buffer.concat([framed(1, text(name)), ...tags.map((tag) => framed(2, text(tag)))]),
  );
  return response(messages, metrics);
}

/** tempopb.SearchTagValuesResponse */
export function valuesResponse({ values, metrics }: ListedValues): Uint8Array {
  return response(values.map(text), metrics);
}

/** tempopb.SearchTagValuesV2Response */
export function typedValuesResponse({ values, metrics }: TagValues): Uint8Array {
  const messages = values.map(({ type, value }) =>
    Buffer.concat([framed(1, text(type)), value === "" ? nothing : framed(2, text(value))]),
  );
  return response(messages, metrics);
}

const nothing = Buffer.alloc(0);

function response(list: Uint8Array[], metrics: TagsMetrics): Uint8Array {
  return Buffer.concat([...list.map((each) => framed(1, each)), framed(2, metadataMetricsMessage(metrics))]);
}

function text(value: string): Buffer {
  return Buffer.from(value);
}
