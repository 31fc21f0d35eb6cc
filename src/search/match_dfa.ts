// The machine of match_nfa.ts made one that is in one state at a time, all of it ahead: a step per byte of a text.
import { type Nfa, Step } from "./match_nfa.ts";

const statesMax = 10_000;
/** Numbers in its table: next states by state and class of bytes. */
const tableMax = 500_000;
/** What it may take to find them: states of the other machine looked at, about 0.1 s. */
const workMax = 4_000_000;
/** Passes over all states to find those that accept whatever follows: it only saves time later. */
const passesMax = 16;

export interface Dfa {
  /** By byte. */
  classes: Uint8Array;
  classCount: number;
  /** The next state by state and class. State 0 leads nowhere, state 1 accepts whatever follows. */
  next: Uint32Array;
  /** By state, whether a text may end there. */
  accepts: boolean[];
  start: number;
}

/** @returns null if it is too large */
export function toDfa(nfa: Nfa): Dfa | null {
  const builder = new Builder(nfa);
  try {
    return builder.build();
  } catch (error) {
    if (error instanceof TooLarge) return null;
    throw error;
  }
}

class TooLarge extends Error {}

const nowhere = 0;
const everything = 1;

class Builder {
  readonly #nfa: Nfa;
  readonly #classes: Uint8Array;
  readonly #classCount: number;
  /** States of the one machine by those of the other, ascending and joined. */
  readonly #numbers = new Map<string, number>();
  readonly #sets: number[][] = [];
  readonly #accepts: boolean[] = [];
  /** For each state of the other machine, when it was last met. */
  readonly #met: Uint32Array;
  #meeting = 0;
  #work = 0;

  constructor(nfa: Nfa) {
    this.#nfa = nfa;
    this.#met = new Uint32Array(nfa.steps.length);
    [this.#classes, this.#classCount] = byteClasses(nfa);
  }

  build(): Dfa {
    this.#sets.push([], []);
    this.#accepts.push(false, true);
    this.#numbers.set("", nowhere);
    // The start is a state of its own: only there the text begins.
    const start = this.#sets.push(this.#reach([this.#nfa.start], true)) - 1;
    this.#accepts[start] = this.#acceptsEnd(this.#sets[start]!, true);
    const rows: number[][] = [
      new Array(this.#classCount).fill(nowhere),
      new Array(this.#classCount).fill(everything),
    ];
    for (let state = start; state < this.#sets.length; state++) rows.push(this.#row(this.#sets[state]!));
    return this.#joined(rows, start);
  }

  #state(set: number[]): number {
    const key = set.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const states = this.#sets.length;
    if (states >= statesMax || states * this.#classCount >= tableMax) throw new TooLarge();
    const state = this.#sets.push(set) - 1;
    this.#numbers.set(key, state);
    this.#accepts[state] = this.#acceptsEnd(set, false);
    return state;
  }

  /** Where each class of bytes leads from a set of states. */
  #row(set: number[]): number[] {
    const { steps, low, high, next } = this.#nfa;
    const targets: number[][] = [];
    for (let c = 0; c < this.#classCount; c++) targets.push([]);
    for (const state of set) {
      if (steps[state] !== Step.Byte || low[state]! > high[state]!) continue;
      const first = this.#classes[low[state]!]!;
      const last = this.#classes[high[state]!]!;
      for (let c = first; c <= last; c++) targets[c]!.push(next[state]!);
      this.#spend(last - first + 1);
    }
    const states = new Map<string, number>();
    return targets.map((starts) => {
      const key = starts.join();
      let state = states.get(key);
      if (state === undefined) {
        state = this.#state(this.#reach(starts, false));
        states.set(key, state);
      }
      return state;
    });
  }

  /** What is reached without a byte: the states that wait for one, for the end, or are it. */
  #reach(starts: number[], atBegin: boolean, atEnd = false): number[] {
    const { steps, next, other } = this.#nfa;
    const reached: number[] = [];
    const waiting = [...starts];
    this.#meeting++;
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (this.#met[state] === this.#meeting) continue;
      this.#met[state] = this.#meeting;
      this.#spend(1);
      const step = steps[state]!;
      if (step === Step.Split) waiting.push(other[state]!, next[state]!);
      else if ((step === Step.Begin && atBegin) || (step === Step.End && atEnd)) waiting.push(next[state]!);
      else if (step !== Step.Begin) reached.push(state);
    }
    this.#spend(reached.length);
    return reached.sort((a, b) => a - b);
  }

  #acceptsEnd(set: number[], atBegin: boolean): boolean {
    return this.#reach(set, atBegin, true).some((state) => this.#nfa.steps[state] === Step.Match);
  }

  /** Takes for one the states that accept whatever follows. */
  #joined(rows: number[][], start: number): Dfa {
    const all = this.#acceptingAll(rows);
    return {
      classes: this.#classes,
      classCount: this.#classCount,
      next: Uint32Array.from(rows.flat(), (to) => (all[to] ? everything : to)),
      accepts: this.#accepts,
      start: all[start] ? everything : start,
    };
  }

  /** By state, whether it and all that follow it accept. */
  #acceptingAll(rows: number[][]): boolean[] {
    const all = [...this.#accepts];
    for (let pass = 0; pass < passesMax; pass++) {
      let changed = false;
      for (let state = rows.length - 1; state > everything; state--) {
        if (!all[state] || rows[state]!.every((to) => all[to])) continue;
        all[state] = false;
        changed = true;
      }
      if (!changed) return all;
    }
    return rows.map((_, state) => state === everything);
  }

  #spend(work: number): void {
    this.#work += work;
    if (this.#work > workMax) throw new TooLarge();
  }
}

/** Bytes that no step tells from one another are of one class; ascending like the bytes. */
function byteClasses({ steps, low, high }: Nfa): [Uint8Array, number] {
  const begins = new Uint8Array(257);
  for (const [state, step] of steps.entries()) {
    if (step !== Step.Byte || low[state]! > high[state]!) continue;
    begins[low[state]!] = 1;
    begins[high[state]! + 1] = 1;
  }
  const classes = new Uint8Array(256);
  let last = 0;
  for (let byte = 1; byte < 256; byte++) {
    if (begins[byte]) last++;
    classes[byte] = last;
  }
  return [classes, last + 1];
}
