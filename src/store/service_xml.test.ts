import { expect, test } from "bun:test";
import { elements, elementText, escapeXml } from "./service_xml.ts";

test("elements() finds those that are whole, in time that grows with the text", () => {
  expect(elements("<r><a>1</a><b>2</b><a></a><a>3</r>", "a")).toEqual(["1", ""]);
  expect(elements("", "a")).toEqual([]);
  // Seconds if each was looked for to the end: what a service says is not ours to trust.
  expect(elements(`${"<a>".repeat(500_000)}</r>`, "a")).toEqual([]);
}, 2000);

test("elementText() gives the text that was escaped", () => {
  expect(elementText("<a>&#x1F600;&lt;&amp;lt;&#99999999;&unknown;</a>", "a")).toBe(
    "😀<&lt;&#99999999;&unknown;",
  );
  expect(elementText("<b>x</b>", "a")).toBe("");
  const text = `<>&"'日`;
  expect(elementText(`<a>${escapeXml(text)}</a>`, "a")).toBe(text);
});
