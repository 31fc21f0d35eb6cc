// Credentials for a token of somebody else's, which STS takes: service accounts of Kubernetes on EKS.
import { readFileSync } from "node:fs";
import type { AwsCredentials, AwsSurroundings } from "./aws_credentials.ts";
import { credentials } from "./aws_metadata.ts";
import { askMetadata } from "./metadata_request.ts";
import { ServiceError } from "./service_error.ts";
import { elementText } from "./service_xml.ts";
import { StoreError } from "./store_error.ts";

const apiVersion = "2011-06-15";

export async function webIdentityCredentials(surroundings: AwsSurroundings): Promise<AwsCredentials | null> {
  const { env, now } = surroundings;
  const region = env.AWS_REGION || surroundings.region;
  const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: role } = env;
  if (!tokenFile || !role) return null;
  const host = env.AWS_ENDPOINT_URL_STS || `https://sts.${region}.amazonaws.com`;
  const body = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: apiVersion,
    RoleArn: role,
    RoleSessionName: env.AWS_ROLE_SESSION_NAME || `rubato-${now()}`,
    WebIdentityToken: readToken(tokenFile),
  });
  const { status, text } = await askMetadata(surroundings.fetch, `${host.replace(/\/$/, "")}/`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: body.toString(),
  });
  const accessKeyId = elementText(text, "AccessKeyId");
  if (status !== 200 || accessKeyId === "") {
    const reason = `${elementText(text, "Code")} ${elementText(text, "Message")}`.trim();
    throw new ServiceError(`no credentials for ${role} from ${host}: status ${status} ${reason}`, {
      mayRetry: status >= 500 || status === 429,
      mayBeDone: false,
    });
  }
  return credentials(
    accessKeyId,
    elementText(text, "SecretAccessKey"),
    elementText(text, "SessionToken"),
    elementText(text, "Expiration"),
  );
}

/** Read each time, since it is replaced. */
function readToken(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new StoreError(`store: AWS_WEB_IDENTITY_TOKEN_FILE: ${(cause as Error).message}`, { cause });
  }
}
