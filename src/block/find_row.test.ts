import { describe, expect, test } from "bun:test";
import { haveFixtures } from "./encode_fixture.ts";
import { ReadCaches } from "./read.ts";
import { type GoldenTenant, goldenTenants, openGolden } from "./read_fixture.ts";

const tenants: GoldenTenant[] = goldenTenants().filter(({ tenant }) => tenant !== "load");

describe.skipIf(!haveFixtures)("findRows()", () => {
  for (const golden of tenants) {
    test(`${golden.root} ${golden.tenant}: finds every trace where traceIds() has it, few at a time and all at once`, async () => {
      for (const reader of await openGolden(golden, new ReadCaches())) {
        const places: { id: string; group: number; row: number }[] = [];
        for (let group = 0; group < (await reader.rowGroups()); group++) {
          const ids = Buffer.from(await reader.traceIds(group));
          expect(ids.length / 16).toBe((await reader.groupSize(group)).rows);
          for (let row = 0; row * 16 < ids.length; row++) {
            places.push({ id: ids.toString("hex", row * 16, row * 16 + 16), group, row });
          }
        }
        expect(places.map(({ id }) => id)).toEqual(places.map(({ id }) => id).toSorted());

        // Between ids of the block some that it does not have.
        const asked = [
          ...places.map(({ id }) => id),
          ...places.slice(0, 100).map(({ id }) => `${id.slice(0, 30)}f7`),
        ];
        asked.sort();
        const found = await reader.findRows(Buffer.from(asked.join(""), "hex"));
        expect(found.map(({ id, group, row }) => ({ id: asked[id], group, row }))).toEqual(
          places.filter(({ id }) => asked.includes(id)),
        );

        const [fresh] = await openGolden(golden, new ReadCaches());
        if (fresh!.meta.blockID !== reader.meta.blockID) continue;
        const few = asked.slice(0, 40);
        const some = await fresh!.findRows(Buffer.from(few.join(""), "hex"));
        expect(some.map(({ id, group, row }) => ({ id: few[id], group, row }))).toEqual(
          places.filter(({ id }) => few.includes(id)),
        );
      }
    });
  }

  test("finds nothing for nothing", async () => {
    const [reader] = await openGolden({ root: "vParquet4", tenant: "rich" });
    expect(await reader!.findRows(new Uint8Array(0))).toEqual([]);
  });
});
