// The credentials that requests to AWS's services are signed with, and where they come from: the configuration, or else in the order of
// AWS's own libraries the environment, a web identity (EKS), the shared credentials file, the container (ECS, EKS) and the instance (EC2).
import { containerCredentials } from "./aws_container.ts";
import { fileCredentials } from "./aws_credentials_file.ts";
import { instanceCredentials } from "./aws_instance.ts";
import { webIdentityCredentials } from "./aws_web_identity.ts";
import { StoreError } from "./store_error.ts";

export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** "" if there is none. */
  sessionToken: string;
  /** ms since the epoch; absent if they stay good. */
  expiresMs?: number;
}

export interface AwsSurroundings {
  /** What the configuration gives; null if it gives none. */
  configured: AwsCredentials | null;
  region: string;
  env: Readonly<Record<string, string | undefined>>;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
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

/** Credentials are renewed so long before they end; AWS has new ones ready five minutes before. */
const renewedMsBefore = 4 * 60_000;
/** Meanwhile they are asked for so often, not for every request. */
const renewedMsMin = 10_000;

export class AwsCredentialsSource {
  readonly #surroundings: AwsSurroundings;
  #known: AwsCredentials | null = null;
  #asked: Promise<AwsCredentials> | null = null;
  /** Until then those that end soon will do. */
  #goodUntilMs = 0;

  constructor(surroundings: AwsSurroundings) {
    this.#surroundings = surroundings;
  }

  /** @throws StoreError if there are none */
  async get(): Promise<AwsCredentials> {
    const known = this.#known;
    const now = this.#surroundings.now();
    const leftMs = known ? (known.expiresMs ?? Number.POSITIVE_INFINITY) - now : 0;
    if (known && (leftMs > renewedMsBefore || (leftMs > 0 && now < this.#goodUntilMs))) return known;
    this.#asked ??= this.#find().finally(() => {
      this.#asked = null;
      this.#goodUntilMs = this.#surroundings.now() + renewedMsMin;
    });
    // Who hands them out may fail for a moment: it is asked early enough to be asked again.
    return known && leftMs > 0 ? this.#asked.catch(() => known) : this.#asked;
  }

  /** Looks for new ones next time: the service took these for expired. */
  forget(): void {
    this.#known = null;
  }

  async #find(): Promise<AwsCredentials> {
    for (const source of sources) {
      const found = await source(this.#surroundings);
      if (found) {
        this.#known = found;
        return found;
      }
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
