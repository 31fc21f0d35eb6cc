// The numbers by which a test governs a server process that was started with process_preload.ts: both sides map one file.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";

const bytes = 64;
/** Places in the file: a 32-bit and two 64-bit numbers. */
const stepsLeftAt = 0;
const wallAt = 1;
const steadyAt = 2;

export class ControlledProcess {
  readonly #path: string;
  readonly #steps: Int32Array;
  readonly #clocks: Float64Array;

  constructor(path: string) {
    this.#path = path;
    const mapped = Bun.mmap(path, { shared: true });
    this.#steps = new Int32Array(mapped.buffer, mapped.byteOffset, bytes / 4);
    this.#clocks = new Float64Array(mapped.buffer, mapped.byteOffset, bytes / 8);
  }

  /** Makes the file anew: clocks that are right, and no end. */
  static create(path: string): ControlledProcess {
    writeFileSync(path, new Uint8Array(bytes));
    writeFileSync(`${path}.ends`, "");
    return new ControlledProcess(path);
  }

  /** What starts a server under this control. */
  get environment(): Record<string, string> {
    return { RUBATO_TEST_CONTROL: this.#path };
  }

  /** By how much the clock of the day is wrong. */
  get wallMs(): number {
    return this.#clocks[wallAt]!;
  }

  set wallMs(ms: number) {
    this.#clocks[wallAt] = ms;
  }

  /** By how much the clock that nobody sets is ahead. */
  get steadyMs(): number {
    return this.#clocks[steadyAt]!;
  }

  set steadyMs(ms: number) {
    this.#clocks[steadyAt] = ms;
  }

  /** The process ends by SIGKILL before its n-th step from now, counted from 0; null: it does not. */
  endBefore(step: number | null): void {
    Atomics.store(this.#steps, stepsLeftAt, step === null ? 0 : step + 1);
  }

  /** The process is about to do something that lasts. */
  step(what: string): void {
    if (Atomics.load(this.#steps, stepsLeftAt) <= 0) return;
    if (Atomics.sub(this.#steps, stepsLeftAt, 1) !== 1) return;
    appendFileSync(`${this.#path}.ends`, `${what}\n`);
    process.kill(process.pid, "SIGKILL");
  }

  /** What ended processes were about to do, one after the other. */
  ends(): string[] {
    return readFileSync(`${this.#path}.ends`, "utf8").split("\n").slice(0, -1);
  }
}
