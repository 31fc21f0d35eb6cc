// Asks Google's library for a token, in the worker that gcs_token.ts starts.
import { GoogleAuth, gaxios } from "google-auth-library";
import type { GcsTokenAnswer } from "./gcs_token.ts";

const scopes = ["https://www.googleapis.com/auth/devstorage.read_write"];
/** Of the client, which has to know one or runs gcloud for it, for seconds; no request of ours names it. */
const projectId = "none";
/** Of a token that does not say how long it is good. */
const tokenMs = 10 * 60_000;

export async function findGcsToken(): Promise<GcsTokenAnswer> {
  try {
    const client = await new GoogleAuth({ scopes, projectId }).getClient();
    const headers = Object.fromEntries(await client.getRequestHeaders());
    const expiresMs = client.credentials.expiry_date ?? Date.now() + tokenMs;
    return { token: { headers, expiresMs } };
  } catch (error) {
    return { problem: problemOf(error as Error), mayRetry: mayPass(error) };
  }
}

function problemOf(error: Error): string {
  // Its own words quote from the file, which holds a private key.
  if (error instanceof SyntaxError) {
    return "the file with credentials, which GOOGLE_APPLICATION_CREDENTIALS names or gcloud wrote, is no JSON";
  }
  return error.message;
}

/** Whether it is an answer, or the lack of one, that may be another one later. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof gaxios.GaxiosError)) return false;
  const { status } = error.response ?? {};
  return status === undefined || status >= 500 || status === 429 || status === 408;
}
