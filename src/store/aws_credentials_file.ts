// AWS's shared credentials file: sections of names and values, one section for each profile.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { AwsCredentials, AwsSurroundings } from "./aws_credentials.ts";

/** Null if there is no such file, or it has nothing for the profile. */
export function fileCredentials(env: AwsSurroundings["env"]): AwsCredentials | null {
  const path = env.AWS_SHARED_CREDENTIALS_FILE || join(env.HOME || homedir(), ".aws", "credentials");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return null;
  }
  const values = section(text, env.AWS_PROFILE || "default");
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) return null;
  return { accessKeyId, secretAccessKey, sessionToken: values.get("aws_session_token") ?? "" };
}

function section(text: string, name: string): Map<string, string> {
  const values = new Map<string, string>();
  let isWanted = false;
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(.*?)\s*\]/.exec(line);
    if (header) isWanted = header[1] === name;
    const value = /^\s*([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (isWanted && value) values.set(value[1]!.toLowerCase(), value[2]!);
  }
  return values;
}
