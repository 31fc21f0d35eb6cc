// Credentials of an EC2 instance, from its metadata service, version 2.
import type { AwsCredentials, AwsSurroundings } from "./aws_credentials.ts";
import { parseCredentials } from "./aws_metadata.ts";
import { askMetadata, type MetadataAnswer } from "./metadata_request.ts";

const hostDefault = "http://169.254.169.254";
const rolesPath = "/latest/meta-data/iam/security-credentials/";
const tokenSeconds = "21600";
/** Elsewhere nobody answers there. */
const tokenMsMax = 1000;

export async function instanceCredentials(surroundings: AwsSurroundings): Promise<AwsCredentials | null> {
  const { env } = surroundings;
  if (env.AWS_EC2_METADATA_DISABLED?.toLowerCase() === "true") return null;
  const host = (env.AWS_EC2_METADATA_SERVICE_ENDPOINT || hostDefault).replace(/\/$/, "");
  const init = { method: "PUT", headers: { "x-aws-ec2-metadata-token-ttl-seconds": tokenSeconds } };
  let token: MetadataAnswer;
  try {
    token = await askMetadata(surroundings.fetch, `${host}/latest/api/token`, init, tokenMsMax);
  } catch {
    return null;
  }
  if (token.status !== 200) return null;
  const headers = { "x-aws-ec2-metadata-token": token.text };
  const roles = await askMetadata(surroundings.fetch, host + rolesPath, { headers });
  const role = roles.text.split("\n")[0]!.trim();
  if (roles.status !== 200 || role === "") return null; // an instance without a role
  const url = host + rolesPath + encodeURIComponent(role);
  return parseCredentials(url, await askMetadata(surroundings.fetch, url, { headers }));
}
