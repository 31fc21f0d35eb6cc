// Writes profiles in pprof's format: profile.proto of github.com/google/pprof, gzipped. Field numbers are that file's.
import { gzipSync } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** A function, and a line in it. */
export interface Frame {
  name: string;
  /** Empty where the function has no source, as those of the engine. */
  file: string;
  /** 1-based; 0 for unknown. */
  line: number;
}

/** One stack and what was measured there. */
export interface Sample {
  /** Indexes into the frames, innermost first. */
  stack: number[];
  /** One for each of the profile's types. */
  values: number[];
}

/** What one thread gave: plain data, so that it crosses threads. */
export interface ThreadProfile {
  frames: Frame[];
  samples: Sample[];
}

export interface ValueType {
  /** What is measured, such as `cpu`. */
  type: string;
  /** Its unit, such as `nanoseconds`. */
  unit: string;
}

export interface Profile {
  sampleTypes: ValueType[];
  /** What is sampled and how often: one sample per `period` of it. */
  periodType: ValueType;
  period: number;
  /** When it began. */
  timeMs: number;
  durationMs: number;
  threads: { name: string; profile: ThreadProfile }[];
}

/** Encodes a profile. Every stack ends in a frame with its thread's name, which is a label (`thread`) too. */
export function encodePprof(profile: Profile): Uint8Array {
  const strings = new Map<string, number>([["", 0]]);
  const string = (text: string) => {
    const known = strings.get(text);
    if (known !== undefined) return known;
    strings.set(text, strings.size);
    return strings.size - 1;
  };
  const functions = new Map<string, number>();
  const locations = new Map<string, number>();
  const out = new BinaryWriter();
  const message = (field: number, write: (to: BinaryWriter) => void) => {
    out.tag(field, WireType.LengthDelimited).fork();
    write(out);
    out.join();
  };
  const valueType = (field: number, { type, unit }: ValueType) =>
    message(field, (to) => {
      number(to, 1, string(type));
      number(to, 2, string(unit));
    });

  /** The id of a frame's location; writes location and function when they are new. */
  const location = ({ name, file, line }: Frame): number => {
    const functionKey = JSON.stringify([name, file]);
    const key = `${line} ${functionKey}`;
    const known = locations.get(key);
    if (known !== undefined) return known;
    let functionId = functions.get(functionKey);
    if (functionId === undefined) {
      const id = functions.size + 1;
      functionId = id;
      functions.set(functionKey, id);
      message(5, (to) => {
        number(to, 1, id);
        number(to, 2, string(name));
        number(to, 3, string(name));
        number(to, 4, string(file));
      });
    }
    const id = locations.size + 1;
    locations.set(key, id);
    message(4, (to) => {
      number(to, 1, id);
      message(4, () => {
        number(to, 1, functionId);
        number(to, 2, line);
      });
    });
    return id;
  };

  for (const type of profile.sampleTypes) valueType(1, type);
  for (const { name, profile: thread } of profile.threads) {
    const root = location({ name, file: "", line: 0 });
    const ids = thread.frames.map(location);
    for (const { stack, values } of thread.samples) {
      message(2, (to) => {
        packed(to, 1, [...stack.map((frame) => ids[frame]!), root]);
        packed(to, 2, values);
        message(3, () => {
          number(to, 1, string("thread"));
          number(to, 2, string(name));
        });
      });
    }
  }
  number(out, 9, profile.timeMs * 1e6);
  number(out, 10, profile.durationMs * 1e6);
  valueType(11, profile.periodType);
  number(out, 12, profile.period);
  for (const text of strings.keys()) out.tag(6, WireType.LengthDelimited).string(text);
  return gzipSync(out.finish());
}

function number(to: BinaryWriter, field: number, value: number): void {
  if (value !== 0) to.tag(field, WireType.Varint).int64(BigInt(Math.round(value)));
}

function packed(to: BinaryWriter, field: number, values: number[]): void {
  to.tag(field, WireType.LengthDelimited).fork();
  for (const value of values) to.int64(BigInt(Math.round(value)));
  to.join();
}
