// `rubato blocks view`: what a block's meta and footer say, and which columns take its bytes.

import { cachesOf } from "../block/read_caches.ts";
import { BlockFile } from "../block/read_file.ts";
import { coloursFor } from "../cli/colours.ts";
import { type Column, layOut } from "../cli/columns.ts";
import { CommandError } from "../cli/command_error.ts";
import { type Option, optionsHelp, wholeNumber } from "../cli/options.ts";
import { printable, printableJson } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { bytesText, countText } from "./bytes_text.ts";
import { namedBlocks, openBlocks, storeOptions } from "./open.ts";

const options = {
  ...storeOptions,
  limit: { value: "N", help: "columns shown, the largest first; default 20, 0 for all" },
  json: { help: "print it as JSON, with all columns" },
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const limitDefault = 20;

const help = `Shows a block: its meta, its row groups, and which columns take its bytes.

Usage: rubato blocks view [options] <id>

  rubato blocks view -config.file=tempo.yaml 2437c1f7

${optionsHelp(options)}
The beginning of an id will do.
`;

interface ColumnSize {
  path: string;
  /** Compressed, with page headers and dictionaries. */
  bytes: number;
}

/** @throws CommandError; StoreError; ParquetError if the footer can't be read */
export async function view(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const { store, blocks, values, rest } = opened;
  if (rest.length !== 1)
    throw CommandError.usage("expected the id of one block; see rubato blocks view -help");
  const limit = values.limit === undefined ? limitDefault : wholeNumber("limit", values.limit);
  const [block] = namedBlocks(blocks, rest);
  const { meta, state, problem } = block!;
  if (meta === null)
    throw CommandError.failed(`block ${block!.id} is ${state}${problem && `: ${printable(problem)}`}`);

  const { file, leaves, size } = await new BlockFile(store, meta, cachesOf(store)).open();
  const groups = file.rowGroups.map(({ rows, chunks }) => ({
    traces: rows,
    spans: chunks.slots[leaves.spanId.leaf.index]!,
    bytes: chunks.bytes.reduce((sum, bytes) => sum + bytes, 0),
  }));
  const columns: ColumnSize[] = file.leaves
    .map(({ index, path }) => ({
      path,
      bytes: file.rowGroups.reduce((sum, { chunks }) => sum + chunks.bytes[index]!, 0),
    }))
    .sort((a, b) => b.bytes - a.bytes);
  if (values.json !== undefined) {
    const all = { state, meta, rowGroups: groups, columns };
    terminal.out(`${printableJson(JSON.stringify(all, null, 2))}\n`);
    return;
  }

  const spans = groups.reduce((sum, group) => sum + group.spans, 0);
  const dedicated = meta.dedicatedColumns.map(({ scope, name }) => `${scope}.${name}`).join(", ");
  const facts = [
    ["Block", `${meta.tenantID}/${meta.blockID}`],
    ["State", state],
    ["Format", meta.format],
    ["From", meta.startTime],
    ["To", meta.endTime],
    ["Traces", countText(meta.totalObjects)],
    ["Spans", countText(spans)],
    ["Size", `${bytesText(size)}${spans > 0 ? `, ${(size / spans).toFixed(1)} bytes a span` : ""}`],
    ["Level", String(meta.compactionLevel)],
    ["Blooms", String(meta.bloomShards)],
    ["Dedicated", dedicated || "none"],
  ];
  for (const [name, text] of facts) terminal.out(`${name!.padEnd(10)} ${printable(text!)}\n`);

  const colours = coloursFor(terminal.colours);
  const plain = () => (text: string) => text;
  const put = <Row>(columns: Column<Row>[], rows: readonly Row[]) => {
    const { header, lines } = layOut(columns, rows, terminal.columns, colours.title);
    terminal.out(`\n${header}\n`);
    for (const line of lines) terminal.out(`${line}\n`);
  };
  put(
    [
      { title: "ROW GROUP", align: "right", text: ({ number }) => String(number), paint: plain },
      { title: "TRACES", align: "right", text: ({ traces }) => countText(traces), paint: plain },
      { title: "SPANS", align: "right", text: ({ spans }) => countText(spans), paint: plain },
      { title: "SIZE", align: "right", text: ({ bytes }) => bytesText(bytes), paint: plain },
    ],
    groups.map((group, number) => ({ ...group, number })),
  );
  const shown = limit === 0 ? columns : columns.slice(0, limit);
  put(
    [
      { title: "COLUMN", text: ({ path }) => printable(path), paint: plain, cutTo: { good: 30, least: 10 } },
      { title: "SIZE", align: "right", text: ({ bytes }) => bytesText(bytes), paint: plain },
      {
        title: "SHARE",
        align: "right",
        text: ({ bytes }) => `${((100 * bytes) / size).toFixed(1)} %`,
        paint: plain,
      },
    ],
    shown,
  );
  const left = columns.length - shown.length;
  if (left > 0) terminal.err(`${left} smaller columns are not shown, -limit=0 shows all\n`);
}
