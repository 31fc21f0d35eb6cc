// What an object service's answer over HTTP says of an object.
import type { FoundObject, ObjectFacts } from "./object_service.ts";
import { isReason, ServiceError } from "./service_error.ts";
import type { ServiceResponse } from "./service_request.ts";
import type { StoreRange } from "./store.ts";
import { StoreNotFound } from "./store_error.ts";

/** Status of an object that ends before the range begins. */
export const noSuchRange = 416;

/** @param range of which there may be nothing */
export function rangeHeaders(range: StoreRange | null): Record<string, string> {
  return range ? { range: `bytes=${range.offset}-${range.offset + range.length - 1}` } : {};
}

/** What was asked for, with the tag that the headers give. @throws ServiceError if it is not whole */
export function foundObject(response: ServiceResponse, range: StoreRange | null, what: string): FoundObject {
  const bytes = foundBytes(response, range, what);
  const isTagged = response.status !== noSuchRange;
  return { bytes, tag: isTagged ? tagOf(response, what) : (response.headers.get("etag") ?? "") };
}

/**
 * The bytes that were asked for.
 *
 * @throws ServiceError if they are not whole
 */
export function foundBytes(response: ServiceResponse, range: StoreRange | null, what: string): Uint8Array {
  const { status, headers, body } = response;
  if (status === noSuchRange) return new Uint8Array(0);
  const announced = headers.get("content-length");
  if (announced !== null && body.length !== Number(announced)) {
    throw new ServiceError(`cannot ${what}: the answer ended early`, { mayRetry: true, mayBeDone: false });
  }
  // Who does not know ranges sends all of it.
  const isWhole = range && status === 200;
  return isWhole ? body.subarray(range.offset, range.offset + range.length) : body;
}

/**
 * An answer about an object, which may not be there.
 *
 * @param missing the service's word for that
 * @throws StoreNotFound; otherwise what `asked` does
 */
export async function ofObject(
  key: string,
  missing: string,
  asked: Promise<ServiceResponse>,
): Promise<ServiceResponse> {
  try {
    return await asked;
  } catch (error) {
    if (isReason(error, missing)) throw new StoreNotFound(key, { cause: error });
    throw error;
  }
}

/** @throws ServiceError if the headers don't say */
export function objectFacts(response: ServiceResponse, what: string): ObjectFacts {
  const bytes = Number.parseInt(response.headers.get("content-length") ?? "", 10);
  const modifiedMs = Date.parse(response.headers.get("last-modified") ?? "");
  if (Number.isNaN(bytes)) throw unclear(what, "no Content-Length");
  if (Number.isNaN(modifiedMs)) throw unclear(what, "no Last-Modified");
  return { bytes, tag: tagOf(response, what), modifiedMs };
}

/** @throws ServiceError if there is none */
export function tagOf({ headers }: ServiceResponse, what: string): string {
  const tag = headers.get("etag");
  if (tag === null) throw unclear(what, "no ETag");
  return tag;
}

/** An answer that can't be one to what was asked. */
export function unclear(what: string, answer: string): ServiceError {
  return new ServiceError(`cannot ${what}: the service answered with ${answer}`, {
    mayRetry: true,
    mayBeDone: true,
  });
}
