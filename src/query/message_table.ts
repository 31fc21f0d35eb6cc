// Protobuf messages as tables: number, JSON name and type of each field, in the order of the .proto files.
import { ascii } from "./json_text.ts";
import { wireBytes, wireFixed32, wireFixed64, wireVarint } from "./wire.ts";

export type FieldType =
  | "string"
  | "bytes"
  | "bool"
  | "int64"
  | "uint64"
  | "uint32"
  | "double"
  | "fixed32"
  | "fixed64"
  | "enum"
  | "message";

export interface Field {
  number: number;
  type: FieldType;
  wireType: number;
  /** `"name":` */
  json: Uint8Array;
  repeated: boolean;
  /** Repeated entries of a key (1) and a value (2), written as an object. */
  map: boolean;
  message: Message | null;
  /** Quoted names of the enum's values. */
  names: Uint8Array[];
}

export interface Message {
  fields: Field[];
  /** Index in `fields` by field number. */
  byNumber: Int8Array;
  /** The fields are alternatives: one is set, and written even if it is zero. */
  oneof: boolean;
}

/** Fields of any one message here, and their highest number. */
export const fieldsMax = 16;

const wireTypes: Record<FieldType, number> = {
  string: wireBytes,
  bytes: wireBytes,
  bool: wireVarint,
  int64: wireVarint,
  uint64: wireVarint,
  uint32: wireVarint,
  double: wireFixed64,
  fixed32: wireFixed32,
  fixed64: wireFixed64,
  enum: wireVarint,
  message: wireBytes,
};

type FieldOptions = { repeated?: boolean; map?: boolean; message?: Message; names?: string[] };

export function field(number: number, name: string, type: FieldType, options: FieldOptions = {}): Field {
  return {
    number,
    type,
    wireType: wireTypes[type],
    json: ascii(`"${name}":`),
    repeated: options.repeated ?? false,
    map: options.map ?? false,
    message: options.message ?? null,
    names: (options.names ?? []).map((each) => ascii(`"${each}"`)),
  };
}

export const one = (number: number, name: string, message: Message): Field =>
  field(number, name, "message", { message });
export const many = (number: number, name: string, message: Message): Field =>
  field(number, name, "message", { message, repeated: true });

export function message(
  fields: Field[],
  into: Message = { fields, byNumber: new Int8Array(0), oneof: false },
): Message {
  into.fields = fields;
  into.byNumber = new Int8Array(fieldsMax + 1).fill(-1);
  for (const [index, each] of fields.entries()) into.byNumber[each.number] = index;
  return into;
}
