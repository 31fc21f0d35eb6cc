// What is wrong with a configuration, and what is worth a word though it starts.

/** Where a key stands: a line and column of the file (from 1), or the flag that gave it. */
export interface Place {
  line?: number;
  column?: number;
  flag?: string;
}

export interface ConfigProblem extends Place {
  file: string;
  /** Dotted path, empty for the file as a whole. */
  key: string;
  message: string;
}

/** A key that is known and has no effect here, or is read under another name. */
export type ConfigWarning = ConfigProblem;

/** Thrown with every problem that was found, one line each. */
export class ConfigError extends Error {
  readonly problems: ConfigProblem[];

  constructor(problems: ConfigProblem[]) {
    super(problems.map(printProblem).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** `file:line:column: key: message`, or `-flag: message` for what the command line gave. */
export function printProblem({ file, line, column, flag, key, message }: ConfigProblem): string {
  if (flag !== undefined) return `-${flag}: ${message}`;
  const at = line === undefined ? file : `${file}:${line}:${column}`;
  return [at, key, message].filter((text) => text !== "").join(": ");
}
