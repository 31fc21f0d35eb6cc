// Objects of Google Cloud Storage that come in parts: resumable uploads. One holds its bytes out of sight until the last one has come,
// costs nothing when it is left, and takes up again behind the last byte that has arrived. Its bytes come in order, in pieces of whole
// quanta but for the last one.
//
// Turned down: composing parts that are objects of their own, which others see and pay for, and the XML API's multipart uploads, for which
// there is no server to try them against.
import type { IHasher } from "hash-wasm";
import { createCrc32c } from "../compress/crc32c.ts";
import { base64Of, objectIn } from "./gcs_object.ts";
import type { GcsQuestion, GcsRequests } from "./gcs_request.ts";
import type { Upload } from "./object_service.ts";
import { unclear } from "./service_answer.ts";
import { noSuchUpload, ServiceError } from "./service_error.ts";
import type { ServiceResponse } from "./service_request.ts";
import { StoreError } from "./store_error.ts";

/** What pieces before the last are multiples of. */
export const quantumBytes = 256 << 10;
/** The answer to a piece that is not the last one. */
const resumeIncomplete = 308;
/** The answers for an upload that was ended, or left for a week. */
const gone: readonly number[] = [404, 410];
const expected: readonly number[] = [resumeIncomplete, ...gone];
/** The answer to giving up. */
const clientClosed = 499;

interface Session {
  url: string;
  /** Parts that have come whole, but for the rest. */
  parts: number;
  /** Their bytes, which the service has. */
  sent: number;
  /** What the last part has beyond whole quanta: it goes with the end. */
  rest: Uint8Array;
  crc: IHasher;
  /** Whether an answer was lost, so that the service has to be asked what it has. */
  isUnsure: boolean;
}

export class GcsUploads {
  readonly #requests: GcsRequests;
  readonly #sessions = new WeakMap<Upload, Session>();

  constructor(requests: GcsRequests) {
    this.#requests = requests;
  }

  async start(key: string, question: GcsQuestion, signal: AbortSignal): Promise<Upload> {
    const { headers } = await this.#requests.ask(question, signal);
    const location = URL.parse(headers.get("location") ?? "", question.url);
    if (!location?.searchParams.has("upload_id")) throw unclear(question.what, "no upload");
    // Not its host: tokens go to the one that is configured.
    const url = new URL(location.pathname + location.search, question.url).href;
    const crc = (await createCrc32c()).init();
    const upload = { key, id: url };
    this.#sessions.set(upload, { url, parts: 0, sent: 0, rest: new Uint8Array(0), crc, isUnsure: false });
    return upload;
  }

  async part(
    upload: Upload,
    number: number,
    bytes: Uint8Array,
    what: string,
    signal: AbortSignal,
  ): Promise<string> {
    const session = this.#session(upload);
    if (number !== session.parts + 1 || session.rest.length > 0) {
      throw new StoreError(
        `store: cannot ${what}: parts must come in order, of whole quanta but for the last`,
      );
    }
    const whole = bytes.subarray(0, bytes.length - (bytes.length % quantumBytes));
    await this.#send(session, whole, false, what, signal);
    session.crc.update(bytes);
    session.sent += whole.length;
    // The caller's buffer is filled again.
    session.rest = bytes.slice(whole.length);
    session.parts = number;
    return `${number}`;
  }

  /** @throws StoreError if what the service has is not what was sent */
  async complete(upload: Upload, what: string, signal: AbortSignal): Promise<void> {
    const session = this.#session(upload);
    const answer = await this.#send(session, session.rest, true, what, signal);
    if (answer === null) throw unclear(what, "no end of the upload");
    const { size, crc32c } = objectIn(answer, what);
    const bytes = session.sent + session.rest.length;
    const sum = base64Of(session.crc);
    if (size === `${bytes}` && crc32c === sum) return;
    throw new StoreError(
      `store: cannot ${what}: sent ${bytes} bytes with CRC32C ${sum}, the service has ${size} with ${crc32c}`,
    );
  }

  async abort(upload: Upload, what: string, signal: AbortSignal): Promise<void> {
    const { url } = this.#session(upload);
    await this.#requests.ask({ method: "DELETE", url, what }, signal, [clientClosed, ...gone]);
    this.#sessions.delete(upload);
  }

  /**
   * Sends what comes behind the bytes that the service is known to have, as often as it keeps no more than a part of it.
   *
   * @returns the answer that ends the upload; null if the service waits for more
   */
  async #send(
    session: Session,
    bytes: Uint8Array,
    isLast: boolean,
    what: string,
    signal: AbortSignal,
  ): Promise<ServiceResponse | null> {
    const { url, sent } = session;
    const end = sent + bytes.length;
    const total = isLast ? end : "*";
    let isAsking = session.isUnsure || (isLast && bytes.length === 0);
    session.isUnsure = true;
    for (let from = sent; isAsking || from < end; ) {
      const body = isAsking ? new Uint8Array(0) : bytes.subarray(from - sent);
      const range = isAsking ? "*" : `${from}-${end - 1}`;
      const headers = { "content-range": `bytes ${range}/${total}` };
      const answer = await this.#requests.ask({ method: "PUT", url, headers, body, what }, signal, expected);
      if (gone.includes(answer.status)) {
        const facts = { reason: noSuchUpload, mayRetry: false, mayBeDone: false };
        throw new ServiceError(`cannot ${what}: status ${answer.status}, the upload is gone`, facts);
      }
      if (answer.status !== resumeIncomplete) {
        if (!isLast) throw unclear(what, `status ${answer.status} to a part`);
        return answer;
      }
      const kept = bytesKept(answer);
      const isFurther = isAsking ? kept >= sent : kept > from;
      if (!isFurther || kept > end) throw unclear(what, `${kept} bytes kept, of ${from} to ${end}`);
      from = kept;
      isAsking = false;
    }
    session.isUnsure = false;
    return null;
  }

  #session(upload: Upload): Session {
    const session = this.#sessions.get(upload);
    if (!session) throw new StoreError(`store: there is no upload of ${upload.key}`);
    return session;
  }
}

/** Bytes that the service has, from the first one on. */
function bytesKept({ headers }: ServiceResponse): number {
  const last = /^bytes=0-(\d+)$/.exec(headers.get("range") ?? "")?.[1];
  return last === undefined ? 0 : Number(last) + 1;
}
