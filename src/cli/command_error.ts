// Why a command did not do what was asked, and the exit status that says so.

/** Exit status of a command that failed: the server can't be reached, refuses, or doesn't know the trace. */
export const failureStatus = 1;

/** Exit status of a command line that can't be used. */
export const usageStatus = 2;

/** `message` is for the person at the terminal; it may have several lines and holds nothing that a terminal would obey. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  private constructor(
    readonly exitStatus: number,
    message: string,
  ) {
    super(message);
  }

  static failed(message: string): CommandError {
    return new CommandError(failureStatus, message);
  }

  static usage(message: string): CommandError {
    return new CommandError(usageStatus, message);
  }
}
