// The token that requests to Google Cloud Storage carry: of Google's application default credentials, that is a key file or federated
// identity that GOOGLE_APPLICATION_CREDENTIALS names, those of gcloud, or the machine's or pod's own service account.
//
// Google's library looks for them. It takes 15 MB, knows no time limits that hold, and remembers for ever that a machine had no
// credentials; so it lives in a worker of its own that ends with each token, once in an hour.
import { Worker } from "node:worker_threads";
import type { Ending } from "./renewed.ts";
import { ServiceError } from "./service_error.ts";
import { StoreError } from "./store_error.ts";

export interface GcsToken extends Ending {
  /** Of every request: the authorization, and the project that pays if the credentials name one. */
  headers: Readonly<Record<string, string>>;
}

/** What the worker answers. */
export type GcsTokenAnswer = { token: GcsToken } | { problem: string; mayRetry: boolean };

const tokenMsMax = 20_000;

/** @throws ServiceError if that may pass; StoreError if there are no credentials, or they are no good */
export async function askGcsToken(msMax = tokenMsMax): Promise<GcsToken> {
  const worker = new Worker(new URL("../../workers/gcs_token.ts", import.meta.url), { name: "gcs token" });
  let late: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<GcsTokenAnswer>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
      worker.once("exit", (status) => reject(new Error(`looking for credentials ended with ${status}`)));
      const problem = `no answer in ${msMax} ms`;
      late = setTimeout(() => resolve({ problem, mayRetry: true }), msMax);
    });
    if ("token" in answer) return answer.token;
    const message = `no credentials for Google Cloud Storage: ${answer.problem}`;
    if (answer.mayRetry) throw new ServiceError(message, { mayRetry: true, mayBeDone: false });
    throw new StoreError(`store: ${message}`);
  } finally {
    clearTimeout(late);
    await worker.terminate();
  }
}
