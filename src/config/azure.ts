// What storage.trace.azure must say for backend azure, beyond what each of its keys takes. The account and its key may stand in the environment,
// so that they are missed only when the store is opened.
import { isAzureHost } from "../store/azure_address.ts";
import type { AzureConfig } from "./config.ts";
import { isHost } from "./endpoint.ts";
import { checkPrefix } from "./prefix.ts";

const kib = 1024;
/** Each buffer is a block; smaller ones would be a request for next to nothing. */
const bufferBytesMin = 64 * kib;
/** As many as max_buffers, and one more, are in memory for each object that is being written. */
const bufferBytesMax = 100 * kib * kib;
const buffersMax = 64;

/** @param report takes what is wrong, by the key's name within storage.trace.azure */
export function checkAzure(azure: AzureConfig, report: (key: string, message: string) => void): void {
  if (azure.container_name === "") {
    report("container_name", "must name the container that backend azure keeps blocks in");
  } else if (!/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/.test(azure.container_name)) {
    report(
      "container_name",
      `expected 3 to 63 lowercase letters, digits and single hyphens, found "${azure.container_name}"; what is within it goes into prefix`,
    );
  }
  if (azure.storage_account_name !== "" && !/^[\w-]+$/.test(azure.storage_account_name)) {
    report("storage_account_name", `expected the name alone, found "${azure.storage_account_name}"`);
  }
  checkPrefix(azure.prefix, report);
  if (/[^./]\.+(?:\/|$)/.test(azure.prefix)) {
    report("prefix", `names in Azure lose dots before a slash, found "${azure.prefix}"`);
  }
  checkEndpoint(azure, report);
  if (azure.buffer_size < bufferBytesMin || azure.buffer_size > bufferBytesMax) {
    report("buffer_size", `must be from 64KiB to 100MiB, found ${azure.buffer_size} bytes`);
  }
  if (azure.max_buffers < 1 || azure.max_buffers > buffersMax) {
    report("max_buffers", `must be from 1 to ${buffersMax}, found ${azure.max_buffers}`);
  }
}

function checkEndpoint(azure: AzureConfig, report: (key: string, message: string) => void): void {
  const { endpoint_suffix: suffix, use_managed_identity, use_federated_token, user_assigned_id } = azure;
  if (!isHost(suffix)) {
    const message = `expected a host without http:// or a path, such as blob.core.windows.net, found "${suffix}"`;
    report("endpoint_suffix", `${message}; or host:port of an emulator`);
  } else if (
    !isAzureHost(suffix) &&
    (use_managed_identity || use_federated_token || user_assigned_id !== "")
  ) {
    report(
      "endpoint_suffix",
      `identities need https, and "${suffix}" is taken for an emulator, which has http`,
    );
  }
}
