// Reads the form that a request for a query brings in its body: within a size and a time, and a few of them at once.
import { InvalidRequest, QueryCanceled } from "../query/query_errors.ts";
import { QueueFull } from "../query/query_turns.ts";

/** A query of the default size, with all its characters escaped, fits in. */
export const formBytesMax = 512 << 10;
const formMsMax = 10_000;
/** Forms being read at a time. */
const formsMax = 64;
const formType = "application/x-www-form-urlencoded";

let reading = 0;

/**
 * What else is in a body is not looked at.
 *
 * @throws (as rejection) InvalidRequest, QueryCanceled, QueueFull
 */
export async function readForm(request: Request, msMax = formMsMax): Promise<URLSearchParams> {
  const type = /^[^;]*/
    .exec(request.headers.get("Content-Type") ?? "")![0]
    .trim()
    .toLowerCase();
  if (request.body === null || type !== formType) return new URLSearchParams();
  if (reading >= formsMax) throw new QueueFull();
  reading++;
  try {
    return new URLSearchParams((await readAll(request.body, msMax)).toString());
  } finally {
    reading--;
  }
}

async function readAll(body: ReadableStream<Uint8Array>, msMax: number): Promise<Buffer> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new InvalidRequest(`request body not complete within ${msMax} ms`)),
    msMax,
  );
  try {
    for (;;) {
      const { value, done } = await Promise.race([reader.read().catch(clientGone), late.promise]);
      if (done) return Buffer.concat(chunks);
      bytes += value.length;
      if (bytes > formBytesMax) throw new InvalidRequest(`request body larger than ${formBytesMax} bytes`);
      chunks.push(value);
    }
  } finally {
    clearTimeout(timer);
    reader.cancel().catch(() => {});
  }
}

function clientGone(): never {
  throw new QueryCanceled();
}
