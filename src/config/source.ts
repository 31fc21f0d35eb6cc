// The text of a configuration file as a tree of texts, with the place of every key. Scalars stay as they are written:
// what they mean depends on the key.
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { ConfigError, type ConfigProblem, type Place } from "./error.ts";

/** A scalar's text, null where a key has no value, a list, or a mapping (without a prototype). */
export type Tree = string | null | Tree[] | TreeMap;
export interface TreeMap {
  [key: string]: Tree;
}

export interface Source {
  tree: TreeMap;
  /** By dotted path, the place of each key. */
  places: Map<string, Place>;
}

export function isTreeMap(tree: Tree | undefined): tree is TreeMap {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}

export function emptyMap(): TreeMap {
  return Object.create(null) as TreeMap;
}

const depthMax = 64;
const nodesMax = 100_000; // aliases repeat what they stand for

/** @throws ConfigError with the first place where the text is not YAML, or every key that a mapping has twice */
export function parseSource(text: string, file: string): Source {
  const counter = new LineCounter();
  const document: Document = parseDocument(text, {
    schema: "failsafe",
    lineCounter: counter,
    prettyErrors: false,
  });

  function placeAt(offset: number): { line: number; column: number } {
    const { line, col } = counter.linePos(offset);
    return { line, column: col };
  }
  function problem(offset: number, key: string, message: string): ConfigProblem {
    return { file, ...placeAt(offset), key, message };
  }
  function fail(node: Node, key: string, message: string): never {
    throw new ConfigError([problem(node.range?.[0] ?? 0, key, message)]);
  }

  if (document.errors.length > 0) {
    // Behind a syntax error the parser has lost its way; keys that are there twice are errors of their own.
    const lost = document.errors.find(({ code }) => code !== "DUPLICATE_KEY");
    const errors = lost === undefined ? document.errors : [lost];
    throw new ConfigError(errors.map(({ pos, message }) => problem(pos[0], "", message)));
  }

  const places = new Map<string, Place>();
  let nodes = 0;

  function convert(node: Node | null, path: string, depth: number): Tree {
    if (node === null) return null;
    if (++nodes > nodesMax) fail(node, path, `more than ${nodesMax} values`);
    if (depth > depthMax) fail(node, path, `nested deeper than ${depthMax}`);
    if (isAlias(node)) return convert(target(node, path), path, depth + 1);
    if (isMap(node)) return convertMap(node, path, depth);
    if (isSeq(node)) {
      return (node.items as Node[]).map((item, index) => convert(item, `${path}.${index}`, depth + 1));
    }
    const scalar = node as Scalar;
    const value = String(scalar.value ?? "");
    return scalar.type === "PLAIN" && /^(|~|null|Null|NULL)$/.test(value) ? null : value;
  }

  function convertMap(map: YAMLMap, path: string, depth: number): TreeMap {
    const tree = emptyMap();
    const merged: TreeMap[] = [];
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      if (!isScalar(key)) fail(key, path, "expected a name as key");
      const name = String(key.value ?? "");
      if (name === "<<") {
        for (const source of isSeq(value) ? (value.items as Node[]) : [value]) {
          const content = convert(source, path, depth + 1);
          if (!isTreeMap(content)) fail(key, path, "<< merges mappings only");
          merged.push(content);
        }
        continue;
      }
      const keyPath = path === "" ? name : `${path}.${name}`;
      places.set(keyPath, placeAt(key.range?.[0] ?? 0));
      tree[name] = convert(value, keyPath, depth + 1);
    }
    for (const content of merged) {
      for (const name of Object.keys(content)) {
        if (!(name in tree)) tree[name] = content[name]!;
      }
    }
    return tree;
  }

  function target(alias: Alias, path: string): Node {
    const node = alias.resolve(document);
    if (node === undefined) fail(alias, path, `unknown alias *${alias.source}`);
    return node;
  }

  const tree = convert(document.contents as Node | null, "", 0);
  if (tree === null) return { tree: emptyMap(), places };
  if (!isTreeMap(tree)) fail(document.contents as Node, "", "expected a mapping of keys at the top");
  return { tree, places };
}
