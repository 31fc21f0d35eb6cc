// The options of a command: one dash or two, = or a space before the value, anywhere between the arguments.
import { nearest } from "../config/nearest.ts";
import { CommandError } from "./command_error.ts";
import { printable } from "./printable.ts";

export interface Option {
  /** What stands for the value in the help; absent of a switch. */
  value?: string;
  help: string;
}

export interface Given<Name extends string> {
  /** By name; of an option given twice the last, of a switch "true". */
  values: Partial<Record<Name, string>>;
  /** All that are no options, in order. */
  rest: string[];
}

/**
 * Reads the arguments after a command's name.
 *
 * @throws CommandError about an option that is not of the table, or lacks its value
 */
export function parseOptions<Name extends string>(
  argv: readonly string[],
  table: Readonly<Record<Name, Option>>,
): Given<Name> {
  const given: Given<Name> = { values: {}, rest: [] };
  const isName = (name: string): name is Name => Object.hasOwn(table, name);
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at]!;
    if (argument === "--") {
      given.rest.push(...argv.slice(at + 1));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument);
    if (match === null) {
      given.rest.push(argument);
      continue;
    }
    const name = match[1] === "h" ? "help" : match[1]!;
    let value = match[2];
    if (!isName(name)) throw unknown(name, Object.keys(table));
    if (table[name].value === undefined) {
      if (value !== undefined) throw CommandError.usage(`-${name} takes no value`);
      value = "true";
    } else if (value === undefined) {
      if (at + 1 === argv.length) throw CommandError.usage(`-${name}: expected ${table[name].value}`);
      value = argv[++at]!;
    }
    given.values[name] = value;
  }
  return given;
}

function unknown(name: string, names: string[]): CommandError {
  const meant = nearest(name, names);
  const hint = meant === undefined ? ", see -help" : `, did you mean -${meant}?`;
  return CommandError.usage(`-${printable(name)}: unknown option${hint}`);
}

const helpColumn = 22;

/** The options as the lines of a help text. */
export function optionsHelp(table: Readonly<Record<string, Option>>): string {
  return Object.entries(table)
    .map(([name, { value, help }]) => {
      const left = value === undefined ? name : `${name}=${value}`;
      return `  -${left.padEnd(helpColumn)} ${help}\n`;
    })
    .join("");
}

/**
 * A whole number of 0 or more.
 *
 * @throws CommandError that names the option
 */
export function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw CommandError.usage(`-${option}: expected a whole number, found "${printable(text)}"`);
  return Number(text);
}
