// Calls of the streaming query service as a client makes them: requests from proto3 JSON, every message of the answer back as such.
// Written from the table of fields in the corpus, with no code of the server.
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { Json } from "./placeholders.ts";
import { decodeProto } from "./proto_reader.ts";

const service = "tempopb.StreamingQuerier";
const timeoutMsDefault = 20_000;
const messageBytesMax = 64 << 20;

interface Method {
  request: Record<string, [number: number, type: "string" | "varint"]>;
  response: string;
}

const tagsRequest: Method["request"] = {
  scope: [1, "string"],
  query: [2, "string"],
  start: [3, "varint"],
  end: [4, "varint"],
  maxTagsPerScope: [5, "varint"],
  staleValuesThreshold: [6, "varint"],
};
const valuesRequest: Method["request"] = {
  tagName: [1, "string"],
  query: [2, "string"],
  start: [4, "varint"],
  end: [5, "varint"],
  maxTagValues: [6, "varint"],
  staleValueThreshold: [7, "varint"],
};
const instantRequest: Method["request"] = {
  query: [1, "string"],
  start: [2, "varint"],
  end: [3, "varint"],
};
const methods: Record<string, Method> = {
  Search: {
    request: {
      MinDurationMs: [2, "varint"],
      MaxDurationMs: [3, "varint"],
      Limit: [4, "varint"],
      start: [5, "varint"],
      end: [6, "varint"],
      Query: [8, "string"],
      SpansPerSpanSet: [9, "varint"],
      skipASTTransformations: [11, "string"],
    },
    response: "SearchResponse",
  },
  MetricsQueryRange: {
    request: {
      ...instantRequest,
      step: [4, "varint"],
      queryMode: [7, "string"],
      exemplars: [16, "varint"],
      maxSeries: [17, "varint"],
    },
    response: "QueryRangeResponse",
  },
  MetricsQueryInstant: { request: instantRequest, response: "QueryInstantResponse" },
  SearchTags: { request: tagsRequest, response: "SearchTagsResponse" },
  SearchTagsV2: { request: tagsRequest, response: "SearchTagsV2Response" },
  SearchTagValues: { request: valuesRequest, response: "SearchTagValuesResponse" },
  SearchTagValuesV2: { request: valuesRequest, response: "SearchTagValuesV2Response" },
};

export interface GrpcAnswer {
  code: number;
  details: string;
  messages: { [key: string]: Json }[];
  /** Sizes of the messages. */
  bytes: number[];
}

export interface GrpcQuestion {
  method: string;
  message?: { [key: string]: Json };
  metadata?: Record<string, string | string[]>;
  /** Fields of the request in wire form, besides those of the message. */
  extra?: Uint8Array;
  timeoutMs?: number;
}

export class StreamingClient {
  private readonly client: Client;

  constructor(port: number) {
    this.client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": messageBytesMax,
    });
  }

  close(): void {
    this.client.close();
  }

  call({
    method,
    message = {},
    metadata = {},
    extra,
    timeoutMs = timeoutMsDefault,
  }: GrpcQuestion): Promise<GrpcAnswer> {
    const { request, response } = methods[method] ?? unknown(method);
    const headers = new Metadata();
    for (const [name, value] of Object.entries(metadata)) {
      for (const one of [value].flat()) headers.add(name, one);
    }
    const bytes: number[] = [];
    const messages: { [key: string]: Json }[] = [];
    return new Promise((resolve, reject) => {
      const stream = this.client.makeServerStreamRequest(
        `/${service}/${method}`,
        (of: Buffer) => of,
        (of: Buffer) => {
          bytes.push(of.length);
          return decodeProto(response, of);
        },
        Buffer.concat([encode(message, request), extra ?? new Uint8Array()]),
        headers,
        { deadline: Date.now() + timeoutMs },
      );
      stream.on("data", (one: { [key: string]: Json }) => messages.push(one));
      stream.on("error", (error: ServiceError) => {
        if (error.code === undefined) reject(error);
      });
      stream.on("status", ({ code, details }) => {
        // The last messages are delivered after the status.
        setImmediate(() => resolve({ code, details, messages, bytes }));
      });
    });
  }
}

function unknown(method: string): never {
  throw new Error(`grpc: no method ${method} in the table`);
}

function encode(message: { [key: string]: Json }, fields: Method["request"]): Buffer {
  const out: number[] = [];
  for (const [name, value] of Object.entries(message)) {
    const [number, type] = fields[name] ?? unknown(name);
    for (const one of [value].flat()) {
      if (type === "varint") {
        varint(out, BigInt(number << 3));
        varint(out, BigInt(one as string | number));
      } else {
        const bytes = Buffer.from(String(one));
        varint(out, BigInt((number << 3) | 2));
        varint(out, BigInt(bytes.length));
        for (const byte of bytes) out.push(byte);
      }
    }
  }
  return Buffer.from(out);
}

function varint(out: number[], value: bigint): void {
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) {
      out.push(Number(rest));
      return;
    }
    out.push(Number(rest & 127n) | 128);
  }
}
