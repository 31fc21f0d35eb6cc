// Elements of an array attribute, out of the AnyValue that the batch keeps of it.
import { Fields, wireBytes, wireFixed64, wireVarint } from "../query/wire.ts";
import type { Element } from "./values.ts";

const arrayValue = 5;
const values = 1;

/** @param message an AnyValue that the core has found to be an array of one scalar type */
export function arrayElements(message: Uint8Array): Element[] {
  const outer = new Fields(message);
  const elements: Element[] = [];
  while (outer.next()) {
    if (outer.number !== arrayValue || outer.type !== wireBytes) continue;
    const list = new Fields(message, outer.start, outer.end);
    while (list.next()) {
      if (list.number !== values || list.type !== wireBytes) continue;
      const element = elementOf(message, list.start, list.end);
      if (element !== null) elements.push(element);
    }
  }
  return elements;
}

function elementOf(message: Uint8Array, start: number, end: number): Element | null {
  const field = new Fields(message, start, end);
  if (!field.next()) return null;
  switch (field.number) {
    case 1:
      return field.type === wireBytes ? message.slice(field.start, field.end) : null;
    case 2:
      return field.type === wireVarint ? field.lo !== 0 : null;
    case 3:
      return field.type === wireVarint
        ? BigInt.asIntN(64, (BigInt(field.hi >>> 0) << 32n) | BigInt(field.lo >>> 0))
        : null;
    case 4:
      if (field.type !== wireFixed64) return null;
      return doubleOf(field.lo, field.hi);
    default:
      return null;
  }
}

const view = new DataView(new ArrayBuffer(8));

function doubleOf(low: number, high: number): number {
  view.setUint32(0, low, true);
  view.setUint32(4, high, true);
  return view.getFloat64(0, true);
}
