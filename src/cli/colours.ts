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
  /** By its place in a chart. */
  series(index: number): Paint;
  /** Of a heat map, from 1, the coldest. */
  heat(level: number): Paint;
}

/** Of the 256 of xterm: told apart on dark and on light ground, and none of them the red of failures. */
const palette = [33, 172, 35, 133, 37, 136, 105, 71, 168, 67, 142, 98] as const;
const heatColours = [67, 98, 169, 203] as const;

const plain: Paint = (text) => text;

/** @param wanted whether to colour at all */
export function coloursFor(wanted: boolean): Colours {
  if (!wanted) {
    const always = () => plain;
    return {
      title: plain,
      dim: plain,
      id: plain,
      key: plain,
      failure: plain,
      warning: plain,
      service: always,
      series: always,
      heat: always,
    };
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
        paint = sequence(foreground(palette, known.size));
        known.set(name, paint);
      }
      return paint;
    },
    series: (index) => sequence(foreground(palette, index)),
    heat: (level) => sequence(foreground(heatColours, level - 1)),
  };
}

function foreground(colours: readonly number[], index: number): string {
  return `38;5;${colours[index % colours.length]}`;
}

function sequence(code: string): Paint {
  return (text) => (text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`);
}
