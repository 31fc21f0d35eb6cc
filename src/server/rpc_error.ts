// Errors with a code of gRPC, and their wire forms. The paths that spans come by use these rather than ConnectError, so
// that a process loads Connect and protobuf-es (measured: 14 MB, and 40 ms of its start) only when a client needs them.

/** The codes of gRPC that are used here. */
export const RpcCode = {
  canceled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
} as const;
export type RpcCode = (typeof RpcCode)[keyof typeof RpcCode];

export class RpcError extends Error {
  override readonly name = "RpcError";

  /** @param retryDelayMs when the client may come back; 0 says nothing */
  constructor(
    message: string,
    readonly code: RpcCode,
    readonly retryDelayMs: number = 0,
  ) {
    super(message);
  }
}

export const retryInfoType = "type.googleapis.com/google.rpc.RetryInfo";

/** The error as google.rpc.Status protobuf, with google.rpc.RetryInfo if the client may come back. */
export function statusProtobuf({ message, code, retryDelayMs }: RpcError): Uint8Array<ArrayBuffer> {
  const parts = [Buffer.of(0x08, code), field(2, Buffer.from(message))];
  if (retryDelayMs > 0) {
    const { seconds, nanos } = duration(retryDelayMs);
    const delay = Buffer.concat([Buffer.of(0x08), varint(seconds), Buffer.of(0x10), varint(nanos)]);
    parts.push(field(3, Buffer.concat([field(1, Buffer.from(retryInfoType)), field(2, field(1, delay))])));
  }
  return Buffer.concat(parts);
}

export function duration(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}

/** The error as the trailers of a gRPC call over HTTP/2. */
export function errorTrailers(error: RpcError): Record<string, string> {
  const trailers: Record<string, string> = {
    "grpc-status": String(error.code),
    "grpc-message": percentEncode(error.message),
  };
  if (error.retryDelayMs > 0) {
    trailers["grpc-status-details-bin"] = Buffer.from(statusProtobuf(error))
      .toString("base64")
      .replace(/=+$/, "");
  }
  return trailers;
}

/** As gRPC asks for messages: everything but printable ASCII, and the percent sign. */
export function percentEncode(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/gu, (part) =>
    Array.from(Buffer.from(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
}

/** A length-delimited field. */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}
