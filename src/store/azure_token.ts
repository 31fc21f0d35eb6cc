// Tokens of Microsoft Entra ID for requests to Azure Storage.
import type { AzureCredentials, UnsignedRequest } from "./azure_credentials.ts";
import type { MetadataAnswer } from "./metadata_request.ts";
import { type Ending, Renewed } from "./renewed.ts";
import { ServiceError } from "./service_error.ts";
import { checkHeaderText } from "./service_request.ts";

/** What tokens are for: storage accounts, in all of Azure's clouds. */
export const storageResource = "https://storage.azure.com/";
const reasonShownMax = 200;

export interface AzureToken extends Ending {
  token: string;
}

export class AzureTokens implements AzureCredentials {
  readonly #renewed: Renewed<AzureToken>;

  constructor(find: () => Promise<AzureToken>, now: () => number) {
    this.#renewed = new Renewed(find, now);
  }

  async authorize({ headers }: UnsignedRequest): Promise<() => void> {
    const known = await this.#renewed.get();
    checkHeaderText("the access token", known.token);
    headers.set("authorization", `Bearer ${known.token}`);
    return () => this.#renewed.forget(known);
  }
}

/**
 * A token as OAuth hands it out.
 *
 * @param passing statuses that mean "later", beside those that always do
 * @throws ServiceError if it is none
 */
export function parseToken(
  url: string,
  { status, text }: MetadataAnswer,
  nowMs: number,
  passing: readonly number[] = [],
): AzureToken {
  const answer = jsonObject(text);
  const token = answer.access_token;
  if (status === 200 && typeof token === "string" && token !== "") {
    // Where there are both, `expires_in` may count from when the token was made, which was some time ago.
    const expiresMs = answer.expires_on
      ? Number(answer.expires_on) * 1000
      : nowMs + Number(answer.expires_in) * 1000;
    return Number.isNaN(expiresMs) ? { token } : { token, expiresMs };
  }
  const words = [answer.error, answer.error_description].filter((word) => typeof word === "string");
  const reason = words.join(": ").split(/\r?\n/)[0]!.slice(0, reasonShownMax);
  throw new ServiceError(`no token from ${url}: status ${status}${reason && `, ${reason}`}`, {
    mayRetry: status >= 500 || status === 429 || passing.includes(status),
    mayBeDone: false,
  });
}

function jsonObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
