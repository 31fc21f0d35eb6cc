// A plain HTTP/1.1 client for tests: sends exactly the bytes that it is told to (paths are not normalised, headers not added),
// and reads exactly what comes back.
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";

export interface HttpAnswer {
  status: number;
  headers: [string, string][];
  body: Buffer; // decompressed if the server used gzip
  header(name: string): string | undefined;
  text(): string;
}

export interface HttpQuestion {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array;
  timeoutMs?: number;
}

const timeoutMsDefault = 20_000;

export function http(port: number, question: HttpQuestion): Promise<HttpAnswer> {
  const { method = "GET", path, headers = {}, body } = question;
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const lines = [`${method} ${path} HTTP/1.1`];
  if (!names.has("host")) lines.push(`Host: 127.0.0.1:${port}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined && !names.has("content-length")) lines.push(`Content-Length: ${body.length}`);
  else if (body === undefined && method !== "GET" && method !== "HEAD") lines.push("Content-Length: 0");
  lines.push("Connection: close", "", "");
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let received: Buffer = Buffer.alloc(0);
    const settle = (closed: boolean) => {
      try {
        const answer = parseAnswer(received, closed, method === "HEAD");
        if (answer === null) return;
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      } catch (error) {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${method} ${path}: no answer in time`));
    }, question.timeoutMs ?? timeoutMsDefault);
    socket.on("data", (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
      settle(false);
    });
    // A server may refuse while we are still sending: the answer counts, not the broken pipe.
    socket.on("error", (error) => {
      if (received.length > 0) return;
      clearTimeout(timer);
      reject(error);
    });
    socket.on("close", () => settle(true));
    socket.on("connect", () => {
      socket.write(Buffer.from(lines.join("\r\n"), "utf8"));
      if (body !== undefined && body.length > 0) socket.write(body);
    });
  });
}

function parseAnswer(received: Buffer, closed: boolean, headOnly: boolean): HttpAnswer | null {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) {
    if (closed) throw new Error("http answer: connection closed before an answer");
    return null;
  }
  const [first = "", ...rest] = received.subarray(0, headEnd).toString("utf8").split("\r\n");
  const status = Number(first.split(" ")[1]);
  const headers = rest.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const header = (name: string) => headers.find(([n]) => n.toLowerCase() === name.toLowerCase())?.[1];
  if (status === 100) return parseAnswer(received.subarray(headEnd + 4), closed, headOnly);
  const raw = headOnly
    ? Buffer.alloc(0)
    : readBody(received.subarray(headEnd + 4), header("content-length"), header("transfer-encoding"), closed);
  if (raw === null) return null;
  const body = header("content-encoding") === "gzip" ? gunzipSync(raw) : raw;
  return { status, headers, body, header, text: () => body.toString("utf8") };
}

function readBody(
  bytes: Buffer,
  contentLength: string | undefined,
  transferEncoding: string | undefined,
  closed: boolean,
): Buffer | null {
  if (transferEncoding === "chunked") {
    const parts: Buffer[] = [];
    for (let at = 0; ; ) {
      const lineEnd = bytes.indexOf("\r\n", at);
      const length =
        lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.subarray(at, lineEnd).toString("latin1"), 16);
      if (length === 0) return Buffer.concat(parts);
      if (Number.isNaN(length) || lineEnd + 2 + length + 2 > bytes.length) {
        if (closed) throw new Error("http answer: cut off in a chunk");
        return null;
      }
      parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length));
      at = lineEnd + 2 + length + 2;
    }
  }
  if (contentLength === undefined) return closed ? bytes : null;
  const length = Number(contentLength);
  if (bytes.length >= length) return bytes.subarray(0, length);
  if (closed) throw new Error("http answer: cut off in the body");
  return null;
}
