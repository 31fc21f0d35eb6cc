// Credentials of a container: a task's on ECS, a pod's on EKS.
import { readFileSync } from "node:fs";
import type { AwsCredentials, AwsSurroundings } from "./aws_credentials.ts";
import { parseCredentials } from "./aws_metadata.ts";
import { askMetadata } from "./metadata_request.ts";
import { StoreError } from "./store_error.ts";

const ecsHost = "http://169.254.170.2";
/** Where a secret may go in the clear: this machine, and AWS's agents on it. */
const localHosts: ReadonlySet<string> = new Set([
  "localhost",
  "127.0.0.1",
  "[::1]",
  "169.254.170.2",
  "169.254.170.23",
  "[fd00:ec2::23]",
]);

export async function containerCredentials(surroundings: AwsSurroundings): Promise<AwsCredentials | null> {
  const { env } = surroundings;
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  if (!relative && !full) return null;
  const url = relative ? ecsHost + relative : full!;
  if (!URL.canParse(url)) throw new StoreError(`store: AWS_CONTAINER_CREDENTIALS_FULL_URI: no URL: ${url}`);
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && !localHosts.has(hostname)) {
    throw new StoreError(`store: AWS_CONTAINER_CREDENTIALS_FULL_URI: ${hostname} must be asked over https`);
  }
  const token = tokenOf(env);
  const headers: Record<string, string> = token === "" ? {} : { authorization: token };
  return parseCredentials(url, await askMetadata(surroundings.fetch, url, { headers }));
}

/** Read each time, since it is replaced. */
function tokenOf(env: AwsSurroundings["env"]): string {
  const path = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  if (!path) return env.AWS_CONTAINER_AUTHORIZATION_TOKEN ?? "";
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new StoreError(`store: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ${reason}`, { cause });
  }
}
