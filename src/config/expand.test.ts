import { describe, expect, test } from "bun:test";
import { ConfigError } from "./error.ts";
import { expandEnvironment } from "./expand.ts";

const environment = { HOST: "tempo", EMPTY: "", TWO: "a: 1\nb: 2" };

describe("expandEnvironment()", () => {
  const cases: [string, string][] = [
    [`\${HOST}:4317`, "tempo:4317"],
    [`\${MISSING}:4317`, ":4317"],
    [`\${MISSING:-localhost}:4317`, "localhost:4317"],
    [`\${EMPTY:-localhost}`, "localhost"],
    [`\${EMPTY-localhost}`, ""],
    [`\${MISSING=x}\${MISSING:=y}`, "xy"],
    [`\${HOST:-localhost}`, "tempo"],
    [`\${MISSING:-\${HOST}-a}`, "tempo-a"],
    [`\${MISSING:-}`, ""],
    [`$\${HOST}`, `\${HOST}`],
    ["pa$$word $HOST $1", "pa$$word $HOST $1"],
    ["$", "$"],
    [`\${TWO}`, "a: 1\nb: 2"],
  ];
  for (const [text, expanded] of cases) {
    test(`makes ${JSON.stringify(expanded)} of ${JSON.stringify(text)}`, () => {
      expect(expandEnvironment(text, environment, "tempo.yaml")).toBe(expanded);
    });
  }

  test("names the line and column of a malformed reference", () => {
    const cases: [string, string][] = [
      [`a: 1\nb: \${HOST`, `tempo.yaml:2:4: environment reference: "\${HOST" is not closed`],
      [`a: \${}`, `tempo.yaml:1:4: environment reference: expected a name after "\${"`],
      [
        `a: \${HOST^^}`,
        `tempo.yaml:1:4: environment reference: only \${HOST} and \${HOST:-default} are supported`,
      ],
    ];
    for (const [text, message] of cases) {
      expect(() => expandEnvironment(text, environment, "tempo.yaml")).toThrow(ConfigError);
      expect(() => expandEnvironment(text, environment, "tempo.yaml")).toThrow(message);
    }
  });

  test("refuses endless nesting", () => {
    expect(() => expandEnvironment(`\${A:-`.repeat(1000), {}, "x")).toThrow("nested too deep");
  });
});
