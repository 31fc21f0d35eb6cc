// Reads a request's body whole, for HTTP/1.1 and HTTP/2 alike: within a limit, a time, and the memory for it.
import type { Readable } from "node:stream";
import { BodyTooLarge, type ReceivedBody } from "./receive_memory.ts";

/**
 * How much of a body that is refused is still read, and thrown away. A client that finds its connection closed while it
 * sends doesn't look for the answer.
 */
export const discardBytesMax = 64 << 20;

/** The client went away before its body was whole: there is no one to answer. */
export class UploadCut extends Error {
  override readonly name = "UploadCut";

  constructor() {
    super("upload cut");
  }
}

/** A body that took too long. */
export class UploadTooSlow extends Error {
  override readonly name = "UploadTooSlow";

  constructor(msMax: number) {
    super(`request body not complete within ${msMax} ms`);
  }
}

/**
 * Reads until the body's end, even if it is refused: what comes after that is thrown away, up to discardBytesMax.
 * If it fails, the body has been released.
 *
 * @param check called after each chunk; what it throws refuses the body
 * @throws (as rejection) BodyTooLarge, ReceiveBusy, UploadCut, UploadTooSlow, or what `check` threw
 */
export function readBody(
  request: Readable,
  body: ReceivedBody,
  msMax: number,
  check?: () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let refusal: unknown;
    let discarded = 0;
    const timer = setTimeout(() => done(new UploadTooSlow(msMax)), msMax);
    request.on("data", onData).once("end", onEnd).once("close", onClose).on("error", onClose);

    function done(error: unknown): void {
      clearTimeout(timer);
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      if (error === undefined) {
        resolve();
      } else {
        body.release();
        reject(error);
      }
    }

    function onData(chunk: Uint8Array): void {
      if (refusal !== undefined) {
        discarded += chunk.length;
        if (discarded > discardBytesMax) done(refusal);
        return;
      }
      try {
        body.append(chunk);
        check?.();
      } catch (error) {
        refusal = error;
        body.release();
      }
    }

    function onEnd(): void {
      done(refusal);
    }

    function onClose(): void {
      done(refusal ?? new UploadCut());
    }
  });
}

/**
 * Reads a request whose headers decide whether it is taken: the body of one that isn't is read too, and thrown away.
 *
 * @param accept looks at the headers
 * @returns what `accept` returned
 * @throws (as rejection) what readBody() throws, or what `accept` threw
 */
export async function readAccepted<T>(
  request: Readable,
  body: ReceivedBody,
  msMax: number,
  accept: () => T,
  check?: () => void,
): Promise<T> {
  let accepted: T;
  try {
    accepted = accept();
  } catch (refusal) {
    await readBody(request, body, msMax, () => {
      throw refusal;
    });
    throw refusal;
  }
  await readBody(request, body, msMax, check);
  return accepted;
}

/**
 * Refuses a body by its announced length before any of it is read, if it is too long to be even thrown away.
 *
 * @throws BodyTooLarge
 */
export function checkContentLength(
  header: string | undefined, // the Content-Length header
  bytesMax: number,
): void {
  if (header !== undefined && Number(header) > bytesMax + discardBytesMax) throw new BodyTooLarge(bytesMax);
}
