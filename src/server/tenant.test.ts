import { describe, expect, test } from "bun:test";
import { singleTenant, TenantError, tenantOf, tenantsOf } from "./tenant.ts";

const storage = { trace: { backend: "local" } };
const off = {
  multitenancy_enabled: false,
  query_frontend: { multi_tenant_queries_enabled: true },
  storage,
};
const on = { ...off, multitenancy_enabled: true };
const oneOnly = { ...on, query_frontend: { multi_tenant_queries_enabled: false } };

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TenantError) return `${error.status} ${error.message}`;
    throw error;
  }
  return "no error";
}

describe("tenantOf()", () => {
  test("ignores the header while multi-tenancy is off", () => {
    expect(tenantOf("team-a", off)).toBe(singleTenant);
    expect(tenantOf("bad/one", off)).toBe(singleTenant);
    expect(tenantOf(undefined, off)).toBe(singleTenant);
  });

  test("takes every allowed character", () => {
    expect(tenantOf("aZ0!-_.*'()", on)).toBe("aZ0!-_.*'()");
    expect(tenantOf("x".repeat(150), on)).toBe("x".repeat(150));
    expect(tenantOf("...", on)).toBe("...");
  });

  test("refuses a tenant whose name Azure would take for another's", () => {
    const azure = { ...on, storage: { trace: { backend: "azure" } } };
    expect(tenantOf(".a.b", azure)).toBe(".a.b");
    for (const refused of [() => tenantOf("a.", azure), () => tenantsOf("b|a.", azure)]) {
      expect(refusal(refused)).toBe("400 tenant ID 'a.' ends in a dot, which names in Azure can't");
    }
  });

  test("refuses a missing tenant with 401", () => {
    for (const header of [undefined, null, "", []])
      expect(refusal(() => tenantOf(header, on))).toBe("401 no org id");
  });

  test.each([
    ["bad/x", "400 tenant ID 'bad/x' contains unsupported character '/'"],
    ["a|b", "400 tenant ID 'a|b' contains unsupported character '|'"],
    ["a\u{1f600}", "400 tenant ID 'a\u{1f600}' contains unsupported character '\u{1f600}'"],
    ["x".repeat(151), "400 tenant ID is too long: max 150 characters"],
    [".", "400 tenant ID is '.' or '..'"],
    ["..", "400 tenant ID is '.' or '..'"],
  ])("refuses %p", (header, message) => {
    expect(refusal(() => tenantOf(header, on))).toBe(message);
  });

  test("takes a repeated value as one and refuses two different ones", () => {
    expect(tenantOf("a, a", on)).toBe("a");
    expect(tenantOf(["a", "a"], on)).toBe("a");
    expect(refusal(() => tenantOf("a, b", on))).toBe(
      "400 tenant ID 'a, b' contains unsupported character ','",
    );
  });
});

describe("tenantsOf()", () => {
  test("gives the tenants of a list sorted and once each", () => {
    expect(tenantsOf("b|a|b", on)).toEqual(["a", "b"]);
    expect(tenantsOf("b|a, b|a", on)).toEqual(["a", "b"]);
    expect(tenantsOf("a", on)).toEqual(["a"]);
    expect(tenantsOf("a|b", off)).toEqual([singleTenant]);
  });

  test("refuses a list with an empty or bad member", () => {
    expect(refusal(() => tenantsOf("a|", on))).toBe("400 tenant ID is empty");
    expect(refusal(() => tenantsOf("a|bad/x", on))).toBe(
      "400 tenant ID 'bad/x' contains unsupported character '/'",
    );
  });

  test("refuses a list where queries of several tenants are off", () => {
    expect(refusal(() => tenantsOf("a|b", oneOnly))).toBe(
      "400 tenant ID 'a|b' contains unsupported character '|'",
    );
  });
});
