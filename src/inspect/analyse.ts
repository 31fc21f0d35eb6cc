// `rubato blocks analyse`: which attributes take the bytes of blocks.
import { type Colours, coloursFor } from "../cli/colours.ts";
import { type Column, layOut } from "../cli/columns.ts";
import { type Option, optionsHelp, wholeNumber } from "../cli/options.ts";
import { printable, printableJson } from "../cli/printable.ts";
import type { Terminal } from "../cli/terminal.ts";
import type { Tally } from "./attribute_tally.ts";
import { blocksText, bytesText, countText } from "./bytes_text.ts";
import { openBlocks } from "./open.ts";
import { type OwnColumn, ownColumn } from "./own_column.ts";
import { chosenBlocks, chosenOptions, tallyOf, warnLeftOut } from "./tally_blocks.ts";

const limitDefault = 20;

const options = {
  ...chosenOptions,
  limit: { value: "N", help: `attributes shown, the largest first; default ${limitDefault}, 0 for all` },
  json: { help: "print all of them as JSON" },
  help: { help: "print this and exit" },
} as const satisfies Record<string, Option>;

const help = `Shows which attributes take the bytes of blocks.

Usage: rubato blocks analyse [options] [<id>...]

${optionsHelp(options)}
BYTES are those of the strings before compression, SHARE is that among the strings of the same scope. COLUMN says whether the attribute
has a column of its own, in every block or as the blocks that were read have it, which makes queries for it fast.
`;

/** @throws CommandError; StoreError; ParquetError */
export async function analyse(argv: readonly string[], terminal: Terminal): Promise<void> {
  const opened = await openBlocks(argv, options);
  if (opened === null) {
    terminal.out(help);
    return;
  }
  const { store, values } = opened;
  const limit = values.limit === undefined ? limitDefault : wholeNumber("limit", values.limit);
  const chosen = chosenBlocks(opened.blocks, opened.rest, values.blocks);
  const { tally, spans } = await tallyOf(store, chosen, terminal);
  const dedicated = chosen.flatMap(({ meta }) => meta?.dedicatedColumns ?? []);
  const stringBytes = bytesByOwner(tally.rows);
  const rows = tally.rows.map((row) => ({
    ...row,
    share: row.stringBytes / (stringBytes.get(row.owner) || 1),
    column: ownColumn(row, dedicated),
  }));
  if (values.json !== undefined) {
    const all = { blocks: chosen.map(({ id }) => id), spans, attributes: rows };
    terminal.out(`${printableJson(JSON.stringify(all, null, 2))}\n`);
    return;
  }
  const colours = coloursFor(terminal.colours);
  const shown = limit === 0 ? rows : rows.slice(0, limit);
  const { header, lines } = layOut(columnsOf(colours), shown, terminal.columns, colours.title);
  for (const line of [header, ...lines]) terminal.out(`${line}\n`);
  const left = rows.length - shown.length;
  if (left > 0) terminal.err(`${countText(left)} smaller ones are not shown, -limit=0 shows all\n`);
  terminal.err(`${countText(spans)} spans in ${blocksText(chosen.length)}\n`);
  warnLeftOut(tally, terminal);
}

function bytesByOwner(rows: readonly Tally[]): Map<string, number> {
  const bytes = new Map<string, number>();
  for (const { owner, stringBytes } of rows) bytes.set(owner, (bytes.get(owner) ?? 0) + stringBytes);
  return bytes;
}

type Row = Tally & { share: number; column: OwnColumn };

function columnsOf(colours: Colours): Column<Row>[] {
  const plain = () => (text: string) => text;
  return [
    { title: "SCOPE", text: ({ owner }) => owner, paint: () => colours.dim },
    {
      title: "NAME",
      text: ({ name }) => printable(name),
      paint: () => colours.key,
      cutTo: { good: 24, least: 8 },
    },
    { title: "BYTES", align: "right", text: ({ stringBytes }) => bytesText(stringBytes), paint: plain },
    { title: "SHARE", align: "right", text: ({ share }) => `${(share * 100).toFixed(1)} %`, paint: plain },
    { title: "STRINGS", align: "right", text: ({ strings }) => countText(strings), paint: plain },
    { title: "INTS", align: "right", text: ({ ints }) => countText(ints), paint: plain, optional: true },
    {
      title: "OTHERS",
      align: "right",
      text: ({ others }) => countText(others),
      paint: plain,
      optional: true,
    },
    { title: "COLUMN", text: ({ column }) => column, paint: () => colours.dim },
  ];
}
