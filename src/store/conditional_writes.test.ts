import { expect, test } from "bun:test";
import { MemoryService } from "./memory_service_fixture.ts";
import type { WriteCondition } from "./object_service.ts";
import { RemoteStore } from "./remote_store.ts";
import { ServiceError } from "./service_error.ts";

const options = { prefix: "p/", listsMax: 1, partBytes: 5 << 20, partsMax: 2 };
const bytes = new Uint8Array(1);

test("writeIf() writes nothing where the service does not mind conditions, and says which", async () => {
  const cases: [passedOver: (condition: WriteCondition) => boolean, header: string][] = [
    [() => true, "If-None-Match"],
    [(condition) => typeof condition === "object", "If-Match"],
  ];
  for (const [isPassedOver, header] of cases) {
    const service = new MemoryService();
    const put = service.put.bind(service);
    service.put = (key, content, condition) =>
      put(key, content, isPassedOver(condition) ? "none" : condition);
    const store = new RemoteStore(service, options);
    for (let i = 0; i < 2; i++) {
      await expect(store.writeIf("t/lease", bytes, null)).rejects.toThrow(`whatever ${header} says`);
    }
    expect(await store.readTagged("t/lease")).toBeNull();
  }
});

test("writeIf() asks once whether conditions are minded, and again if there was no answer", async () => {
  const service = new MemoryService();
  const put = service.put.bind(service);
  const keys: string[] = [];
  let isDown = true;
  service.put = async (key, ...args) => {
    keys.push(key);
    if (isDown) throw new ServiceError("slow down", { mayRetry: false, mayBeDone: false });
    return put(key, ...args);
  };
  const store = new RemoteStore(service, options);
  await expect(store.writeIf("t/a", bytes, null)).rejects.toThrow("slow down");
  isDown = false;
  keys.length = 0;
  expect(await Promise.all(["t/a", "t/b"].map((path) => store.writeIf(path, bytes, null)))).not.toContain(
    null,
  );
  const probe = "p/rubato_conditional_writes";
  expect(keys).toEqual([probe, probe, probe, "p/t/a", "p/t/b"]);
  expect(await store.list("")).toEqual(["t"]);
});
