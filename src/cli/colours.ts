// Colours by ANSI sequences, where they are wanted.

export type Paint = (text: string) => string;

export interface Colours {
  title: Paint;
  dim: Paint;
  id: Paint;
  key: Paint;
  failure: Paint;
  warning: Paint;
  /** The same service has the same colour everywhere in an output. */
  service(name: string): Paint;
}

/** Of the 256 of xterm: told apart on dark and on light ground, and none of them the red of failures. */
const serviceColours = [33, 172, 35, 133, 37, 136, 105, 71, 168, 67, 142, 98] as const;

const plain: Paint = (text) => text;

/** @param wanted whether to colour at all */
export function coloursFor(wanted: boolean): Colours {
  if (!wanted) {
    const service = () => plain;
    return { title: plain, dim: plain, id: plain, key: plain, failure: plain, warning: plain, service };
  }
  const known = new Map<string, Paint>();
  return {
    title: sequence("1"),
    dim: sequence("2"),
    id: sequence("36"),
    key: sequence("36"),
    failure: sequence("31"),
    warning: sequence("33"),
    service(name) {
      let paint = known.get(name);
      if (paint === undefined) {
        paint = sequence(`38;5;${serviceColours[known.size % serviceColours.length]}`);
        known.set(name, paint);
      }
      return paint;
    },
  };
}

function sequence(code: string): Paint {
  return (text) => (text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`);
}
