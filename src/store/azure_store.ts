// The store that storage.trace.azure describes.
import process from "node:process";
import type { AzureConfig } from "../config/config.ts";
import { azureUrl } from "./azure_address.ts";
import { azureAccount, azureCredentials } from "./azure_credentials.ts";
import { AzureRequests } from "./azure_request.ts";
import { AzureService } from "./azure_service.ts";
import { fetchWith, noTls } from "./fetch.ts";
import { keyPrefix } from "./object_path.ts";
import { RemoteStore } from "./remote_store.ts";
import { resilient } from "./resilience.ts";

/** The configuration has no keys for these. An account that has reached its limits takes requests again after some ten seconds. */
const retry = { attemptsMax: 10, backoffMsInitial: 200, backoffMsMax: 10_000 };
/** A page has 5,000 names, and Azure lists from the beginning or behind a page only. */
const listsMax = 1;

/** @throws StoreError naming what credentials lack; the rest was checked with the configuration */
export function openAzureStore(config: AzureConfig): RemoteStore {
  const { env } = process;
  const container = azureUrl({
    account: azureAccount(config, env),
    container: config.container_name,
    endpointSuffix: config.endpoint_suffix,
  });
  const credentials = azureCredentials(config, { env, fetch: globalThis.fetch, now: Date.now });
  const service = new AzureService(
    new AzureRequests(container, credentials, fetchWith(noTls, "storage.trace.azure")),
  );
  const hedge = { afterMs: config.hedge_requests_at, requestsMax: config.hedge_requests_up_to };
  return new RemoteStore(resilient(service, { retry, hedge }), {
    prefix: keyPrefix(config.prefix),
    listsMax,
    partBytes: config.buffer_size,
    partsMax: config.max_buffers,
  });
}
