// The credentials that requests to AWS's services are signed with, and where they come from: the configuration, or else in the order of
// AWS's own libraries the environment, a web identity (EKS), the shared credentials file, the container (ECS, EKS) and the instance (EC2).
import { containerCredentials } from "./aws_container.ts";
import { fileCredentials } from "./aws_credentials_file.ts";
import { instanceCredentials } from "./aws_instance.ts";
import { webIdentityCredentials } from "./aws_web_identity.ts";
import type { Fetch } from "./fetch.ts";
import { type Ending, Renewed } from "./renewed.ts";
import { StoreError } from "./store_error.ts";

export interface AwsCredentials extends Ending {
  accessKeyId: string;
  secretAccessKey: string;
  /** "" if there is none. */
  sessionToken: string;
}

export interface AwsSurroundings {
  /** What the configuration gives; null if it gives none. */
  configured: AwsCredentials | null;
  region: string;
  env: Readonly<Record<string, string | undefined>>;
  fetch: Fetch;
  now: () => number;
}

/** Where credentials may come from. Gives null where it is not set up. @throws StoreError if it is, and does not work */
export type AwsSource = (surroundings: AwsSurroundings) => Promise<AwsCredentials | null>;

const sources: readonly AwsSource[] = [
  async ({ configured }) => configured,
  async ({ env }) => environmentCredentials(env),
  webIdentityCredentials,
  async ({ env }) => fileCredentials(env),
  containerCredentials,
  instanceCredentials,
];

export class AwsCredentialsSource {
  readonly #surroundings: AwsSurroundings;
  readonly #renewed: Renewed<AwsCredentials>;

  constructor(surroundings: AwsSurroundings) {
    this.#surroundings = surroundings;
    this.#renewed = new Renewed(() => this.#find(), surroundings.now);
  }

  /** @throws StoreError if there are none */
  get(): Promise<AwsCredentials> {
    return this.#renewed.get();
  }

  /** Looks for new ones next time: the service took these for expired. */
  forget(refused: AwsCredentials): void {
    this.#renewed.forget(refused);
  }

  async #find(): Promise<AwsCredentials> {
    for (const source of sources) {
      const found = await source(this.#surroundings);
      if (found) return found;
    }
    throw new StoreError(
      "store: no credentials for S3: storage.trace.s3.access_key and secret_key are not set, and neither the environment, " +
        "the shared credentials file, the container nor the instance has any",
    );
  }
}

function environmentCredentials(env: AwsSurroundings["env"]): AwsCredentials | null {
  const accessKeyId = env.AWS_ACCESS_KEY_ID || env.AWS_ACCESS_KEY;
  const secretAccessKey = env.AWS_SECRET_ACCESS_KEY || env.AWS_SECRET_KEY;
  if (!accessKeyId || !secretAccessKey) return null;
  return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN ?? "" };
}
