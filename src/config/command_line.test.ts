import { describe, expect, test } from "bun:test";
import { helpText, parseCommandLine } from "./command_line.ts";

describe("parseCommandLine()", () => {
  test("takes one dash or two, = or a space", () => {
    const serve = { kind: "serve", options: { file: "tempo.yaml" }, warnings: [] };
    for (const argv of [
      ["-config.file=tempo.yaml"],
      ["--config.file=tempo.yaml"],
      ["-config.file", "tempo.yaml"],
      ["--config.file", "tempo.yaml"],
    ]) {
      expect(parseCommandLine(argv)).toEqual(serve as never);
    }
    expect(parseCommandLine([])).toEqual({ kind: "serve", options: {}, warnings: [] });
  });

  test("takes switches with and without a value", () => {
    expect(parseCommandLine(["-config.verify", "-config.expand-env", "-config.file", "a"])).toEqual({
      kind: "verify",
      options: { expandEnv: true, file: "a" },
      warnings: [],
    });
    expect(parseCommandLine(["-config.verify=false", "-config.expand-env=false"])).toMatchObject({
      kind: "serve",
      options: { expandEnv: false },
    });
    expect(parseCommandLine(["-config.verify=perhaps"])).toEqual({
      kind: "error",
      message: '-config.verify: expected true or false, found "perhaps"',
    });
  });

  test("takes keys of the configuration, under their own and Tempo's names", () => {
    const argv = [
      "-target=all",
      "-server.http-listen-port=3201",
      "--log.level",
      "debug",
      "-storage.trace.local.path=/a=b",
      "-stream-over-http-enabled",
      "-ingester.max-block-duration=1m",
    ];
    const command = parseCommandLine(argv);
    expect(command).toMatchObject({
      kind: "serve",
      options: {
        flags: [
          { name: "target", key: "target", value: "all" },
          { name: "server.http-listen-port", key: "server.http_listen_port", value: "3201" },
          { name: "log.level", key: "server.log_level", value: "debug" },
          { name: "storage.trace.local.path", key: "storage.trace.local.path", value: "/a=b" },
          { name: "stream-over-http-enabled", key: "stream_over_http_enabled", value: "true" },
          { name: "ingester.max-block-duration", key: "ingester.max_block_duration", value: "1m" },
        ],
      },
    });
  });

  test("accepts the flags of Go's runtime with a warning", () => {
    const command = parseCommandLine(["-mem-ballast-size-mbs=1024", "-block-profile-rate", "5"]);
    expect(
      command.kind === "serve" && command.warnings.map(({ flag, message }) => `${flag}: ${message}`),
    ).toEqual([
      "mem-ballast-size-mbs: ignored, it is a setting of Go's runtime",
      "block-profile-rate: ignored, it is a setting of Go's runtime",
    ]);
  });

  test("answers -version and -help before anything else", () => {
    expect(parseCommandLine(["-version"])).toEqual({ kind: "version" });
    expect(parseCommandLine(["--help"])).toEqual({ kind: "help" });
    expect(parseCommandLine(["-h"])).toEqual({ kind: "help" });
  });

  test("refuses what it does not know", () => {
    const cases: [string[], string][] = [
      [["-config.flie=a"], "-config.flie: unknown flag, did you mean -config.file?"],
      [
        ["-server.http-listen-prot=1"],
        "-server.http-listen-prot: unknown flag, did you mean -server.http-listen-port?",
      ],
      [["-qqqqqqqqqq"], "-qqqqqqqqqq: unknown flag, see -help"],
      [["-server=1"], "-server: unknown flag"],
      [["-config.file"], "-config.file: expected a value"],
      [["frobnicate"], 'unknown command "frobnicate", see -help'],
      [["-config.verify", "tempo.yaml"], 'unexpected argument "tempo.yaml"'],
      [["-"], 'unexpected argument "-"'],
    ];
    for (const [argv, message] of cases) {
      const command = parseCommandLine(argv);
      expect(command.kind === "error" && command.message).toStartWith(message);
    }
  });
});

test("helpText() lists the keys that act, with their defaults", () => {
  expect(helpText()).toMatch(/^ {2}-config\.file=path +the configuration, in Tempo's YAML$/m);
  expect(helpText()).toMatch(/^ {2}-server\.http-listen-port=int +default 3200$/m);
  expect(helpText()).toMatch(/^ {2}-live-store\.max-block-duration=duration +default 5m0s$/m);
  expect(helpText()).toMatch(/^ {2}rubato trace <id> +draw the waterfall/m);
  expect(helpText()).toMatch(/^ {2}-query-frontend\.metrics\.max-intervals=int +default 10000$/m);
  expect(helpText()).not.toContain("query-frontend.metrics.concurrent-jobs");
});
