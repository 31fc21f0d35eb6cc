// For tests: Google Cloud Storage as it answers when it is told what to answer, and what it was asked.

import type { GcsObjectSettings } from "./gcs_object.ts";
import { GcsRequests } from "./gcs_request.ts";
import { GcsService } from "./gcs_service.ts";
import type { GcsToken } from "./gcs_token.ts";
import { Renewed } from "./renewed.ts";

export interface ScriptedAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** Text, or what becomes JSON. */
  body?: string | object;
}

export interface Asked {
  method: string;
  url: URL;
  headers: Headers;
  body: Uint8Array;
}

/** With words in it that tell nothing. */
const address = {
  objects: "http://cert.dns/storage/v1/b/refused/o",
  uploads: "http://cert.dns/upload/storage/v1/b/refused/o",
};

/** @param authorizations of the tokens that are found, one after the other; null to ask as nobody */
export function scriptedGcs(
  answers: (ScriptedAnswer | Error)[],
  settings: Partial<GcsObjectSettings> = {},
  authorizations: string[] | null = null,
): { service: GcsService; asked: Asked[] } {
  const asked: Asked[] = [];
  const find = async (): Promise<GcsToken> => ({
    headers: { authorization: authorizations?.shift() ?? "none left" },
  });
  const token = authorizations && new Renewed(find, () => 0);
  const requests = new GcsRequests(token, async (url, init) => {
    const body = new Uint8Array((init.body as Uint8Array | undefined) ?? []);
    asked.push({ method: init.method!, url: new URL(url), headers: new Headers(init.headers), body });
    const answer = answers.shift();
    if (!answer) throw new Error("asked more than was expected");
    if (answer instanceof Error) throw answer;
    const { status = 200, headers = {}, body: said = "" } = answer;
    const text = typeof said === "string" ? said : JSON.stringify(said);
    return new Response(status === 204 ? null : text, { status, headers });
  });
  const plain: GcsObjectSettings = { cacheControl: "", metadata: {} };
  return { service: new GcsService("refused", address, requests, { ...plain, ...settings }), asked };
}
