// An object of Google Cloud Storage as its JSON API writes it.
import type { IHasher } from "hash-wasm";
import { unclear } from "./service_answer.ts";
import type { ServiceResponse } from "./service_request.ts";

/** What is written beside an object's bytes. */
export interface GcsObjectSettings {
  /** Its Cache-Control; "" for the service's own. */
  cacheControl: string;
  metadata: Readonly<Record<string, string>>;
}

/** 64-bit numbers are texts there. */
export interface GcsObject {
  name?: string;
  size?: string;
  generation?: string;
  /** RFC 3339. */
  updated?: string;
  crc32c?: string;
}

/** The text that makes an object. @param crc32c refuses other bytes; null if they are not known yet */
export function newObject(
  name: string,
  { cacheControl, metadata }: GcsObjectSettings,
  crc32c: string | null,
): string {
  return JSON.stringify({
    name,
    contentType: "application/octet-stream",
    ...(cacheControl !== "" && { cacheControl }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(crc32c !== null && { crc32c }),
  });
}

/** @throws ServiceError if there is none in the answer */
export function objectIn(answer: ServiceResponse, what: string): GcsObject {
  return jsonIn<GcsObject>(answer, "storage#object", what);
}

/**
 * What an answer says.
 *
 * @param kind which it must name itself: anything else may be a proxy's word
 * @throws ServiceError if it is something else, or not all of it
 */
export function jsonIn<T>({ body }: ServiceResponse, kind: string, what: string): T {
  try {
    const json = JSON.parse(new TextDecoder().decode(body));
    if (json?.kind === kind) return json;
  } catch {
    // Said below.
  }
  throw unclear(what, `something else than a ${kind}`);
}

/** A checksum as the service writes it: big-endian, in base64. */
export function base64Of(hasher: IHasher): string {
  return Buffer.from(hasher.digest("binary")).toString("base64");
}
