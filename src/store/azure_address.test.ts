import { expect, test } from "bun:test";
import { azureUrl } from "./azure_address.ts";

test("azureUrl() knows Azure's hosts from those of emulators", () => {
  const url = (endpointSuffix: string) => azureUrl({ account: "acc", container: "traces", endpointSuffix });
  expect(url("blob.core.windows.net")).toBe("https://acc.blob.core.windows.net/traces/");
  expect(url("blob.core.usgovcloudapi.net")).toBe("https://acc.blob.core.usgovcloudapi.net/traces/");
  expect(url("z12.blob.storage.azure.net")).toBe("https://acc.z12.blob.storage.azure.net/traces/");
  expect(url("127.0.0.1:10000")).toBe("http://127.0.0.1:10000/acc/traces/");
  expect(url("azurite:10000")).toBe("http://azurite:10000/acc/traces/");
});
