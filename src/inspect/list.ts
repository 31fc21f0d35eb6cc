// `rubato blocks list`: a line for each block of the store.
import { coloursFor } from "../cli/colours.ts";
import { type Column, layOut } from "../cli/columns.ts";
import { CommandError } from "../cli/command_error.ts";
import { type Option, optionsHelp } from "../cli/options.ts";
import { printable, printableJson } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import { blocksText, bytesText, countText } from "./bytes_text.ts";
import { openBlocks, storeOptions } from "./open.ts";
import type { StoredBlock } from "./stored_block.ts";

const options = {
  ...storeOptions,
  all: { help: "compacted blocks too, and folders that are no whole block" },
  json: { help: "print the metas as JSON" },
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const help = `Lists the blocks of a store, those with the newest spans last.

Usage: rubato blocks list [options]

${optionsHelp(options)}
Blocks whose meta.json can't be read are always listed, as broken.
`;

/** @throws CommandError; StoreError */
export async function list(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const { values, rest } = opened;
  if (rest.length > 0) throw CommandError.usage(`unexpected argument "${printable(rest[0]!)}"`);
  const blocks = opened.blocks.filter(
    ({ state }) => values.all !== undefined || state === "live" || state === "broken",
  );
  if (values.json !== undefined) {
    const rows = blocks.map(({ tenant, id, state, meta }) => ({
      ...meta,
      tenantID: tenant,
      blockID: id,
      state,
    }));
    terminal.out(`${printableJson(JSON.stringify(rows, null, 2))}\n`);
    return;
  }
  const colours = coloursFor(terminal.colours);
  if (blocks.length > 0) {
    const { header, lines } = layOut(columnsOf(colours), blocks, terminal.columns, colours.title);
    for (const line of [header, ...lines]) terminal.out(`${line}\n`);
  }
  const bytes = blocks.reduce((sum, { meta }) => sum + (meta?.size ?? 0), 0);
  terminal.err(`${blocksText(blocks.length)}, ${bytesText(bytes)}\n`);
}

function columnsOf(colours: ReturnType<typeof coloursFor>): Column<StoredBlock>[] {
  const plain = () => (text: string) => text;
  return [
    { title: "TENANT", text: ({ tenant }) => printable(tenant), paint: plain, cutTo: { good: 13, least: 6 } },
    { title: "BLOCK", text: ({ id }) => id, paint: () => colours.id },
    {
      title: "STATE",
      text: ({ state }) => state,
      paint: ({ state }) => (state === "broken" ? colours.failure : colours.dim),
    },
    { title: "FORMAT", text: ({ meta }) => printable(meta?.format ?? ""), paint: plain, optional: true },
    { title: "LEVEL", align: "right", text: ({ meta }) => String(meta?.compactionLevel ?? ""), paint: plain },
    {
      title: "TRACES",
      align: "right",
      text: ({ meta }) => (meta ? countText(meta.totalObjects) : ""),
      paint: plain,
    },
    {
      title: "SIZE",
      align: "right",
      text: ({ meta }) => (meta ? bytesText(meta.size) : ""),
      paint: plain,
    },
    {
      title: "START",
      text: ({ meta }) => printable(meta?.startTime ?? ""),
      paint: () => colours.dim,
      optional: true,
    },
    {
      title: "END",
      text: ({ meta, problem }) => printable(meta?.endTime ?? problem),
      paint: () => colours.dim,
    },
  ];
}
