// gzip for answers of some size to clients that take it.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Context, MiddlewareHandler } from "hono";

/** Smaller answers stay as they are. */
const gzipBytesMin = 1024;
/** Answers go over a fast network more often than not: the cheapest level, which JSON and protobuf shrink well at. */
const level = 1;

/** Types that are sent event by event, or are compressed already. */
const unsuitable = /^(text\/event-stream|application\/(gzip|zstd|octet-stream)|image\/|video\/)/;

export const gzipResponses: MiddlewareHandler = async (c, next) => {
  await next();
  const { res } = c;
  if (res.body === null || res.headers.has("Content-Encoding") || c.req.method === "HEAD") return;
  if (unsuitable.test(res.headers.get("Content-Type") ?? "")) return;
  c.header("Vary", "Accept-Encoding", { append: true });
  if (!acceptsGzip(c.req.header("Accept-Encoding"))) return;
  await compress(c);
};

async function compress(c: Context): Promise<void> {
  const reader: Reader = c.res.body!.getReader();
  const first: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  while (length < gzipBytesMin && !ended) {
    const { value, done } = await reader.read();
    ended = done;
    if (value !== undefined) {
      first.push(value);
      length += value.length;
    }
  }
  if (ended && length < gzipBytesMin) {
    c.res = new Response(Buffer.concat(first, length), c.res);
    return;
  }
  const gzip = createGzip({ level });
  // Ends with an error when the client goes away, which the answer's stream tells of as well.
  pipeline(Readable.from(rest(first, reader), { objectMode: false }), gzip).catch(() => {});
  c.res = new Response(Readable.toWeb(gzip) as unknown as ReadableStream, c.res);
  // Hono puts the old answer's headers back when it is given a new one, so they are changed afterwards.
  const { headers } = c.res;
  headers.delete("Content-Length");
  headers.set("Content-Encoding", "gzip");
  const etag = headers.get("ETag");
  if (etag !== null && !etag.startsWith("W/")) headers.set("ETag", `W/${etag}`);
}

type Reader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;

async function* rest(first: Uint8Array[], reader: Reader): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function acceptsGzip(
  accepted: string | undefined, // the Accept-Encoding header
): boolean {
  for (const offer of accepted?.split(",") ?? []) {
    const [name, ...params] = offer.split(";").map((part) => part.trim().toLowerCase());
    if (name === "gzip" || name === "x-gzip") return !params.some((param) => /^q=0(\.0*)?$/.test(param));
  }
  return false;
}
