// Why spans were not taken.

/** The whole request is refused; parts of it may have been logged, and are removed as repeats when it is sent again. */
export class IngestError extends Error {
  override readonly name = "IngestError";
  /** invalid_argument: it will never be taken. resource_exhausted: later, after retryDelayMs. unavailable: later. */
  readonly code: "invalid_argument" | "resource_exhausted" | "unavailable";
  readonly retryDelayMs?: number;

  constructor(
    code: IngestError["code"],
    message: string,
    options: { retryDelayMs?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryDelayMs = options.retryDelayMs;
  }
}
