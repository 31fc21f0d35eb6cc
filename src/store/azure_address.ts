// Where a container of Azure Blob Storage is.

export interface AzurePlace {
  account: string;
  container: string;
  /** What follows the account's name in the host's, or the `host:port` of an emulator. */
  endpointSuffix: string;
}

/** URL of the container, with a "/" at its end. */
export function azureUrl({ account, container, endpointSuffix }: AzurePlace): string {
  return isAzureHost(endpointSuffix)
    ? `https://${account}.${endpointSuffix}/${container}/`
    : `http://${endpointSuffix}/${account}/${container}/`;
}

/** Azure's own are `blob.core.windows.net`, those of its other clouds, and `z12.blob.storage.azure.net` of accounts with a zone of their own. */
export function isAzureHost(endpointSuffix: string): boolean {
  return /^(?:[\w-]+\.)?blob\./.test(endpointSuffix);
}
