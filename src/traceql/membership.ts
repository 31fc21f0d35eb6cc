// Comparisons of one attribute that stand side by side to one comparison with a list.

import type {
  Attribute,
  Comparison,
  FieldExpression,
  Literal,
  Logical,
  LogicalOp,
  MembershipOp,
} from "./ast.ts";
import { printAttribute } from "./print.ts";
import { typeOf } from "./types.ts";

/** `&& =~` and `|| !=` are not the same as a list, nor is any order. */
const listOps: Record<LogicalOp, Partial<Record<Comparison["op"], MembershipOp>>> = {
  "||": { "=": "IN", "=~": "MATCH ANY" },
  "&&": { "!=": "NOT IN", "!~": "MATCH NONE" },
};
const listTypes: ReadonlySet<Literal["type"]> = new Set(["string", "int", "float", "bool"]);

interface Member {
  op: MembershipOp;
  attribute: Attribute;
  /** Of two members that may be in one list this is equal. */
  key: string;
  value: Literal;
}

/**
 * `a = 1 || a = 2` becomes `a IN [1, 2]`. Operands before a list are boolean, or it stands first: else an operand that
 * is no boolean, which makes false what it is joined with, would reach further than before.
 */
export function joinComparisons(node: Logical): FieldExpression {
  const operands: FieldExpression[] = [];
  let run: Member[] = [];
  let boolean = true;
  for (const [index, operand] of node.operands.entries()) {
    const member = memberOf(node.op, operand);
    if (member !== null && boolean && (run.length === 0 || run[0]!.key === member.key)) {
      run.push(member);
    } else {
      endRun(operands, run, node.operands, index);
      run = member !== null && boolean ? [member] : [];
      if (run.length === 0) operands.push(operand);
    }
    boolean &&= typeOf(operand) === "bool";
  }
  endRun(operands, run, node.operands, node.operands.length);
  return operands.length === 1 ? operands[0]! : { ...node, operands };
}

function endRun(to: FieldExpression[], run: Member[], operands: FieldExpression[], end: number): void {
  const [first] = run;
  if (first === undefined) return;
  const position = operands[end - run.length]!.position;
  if (run.length === 1) to.push(operands[end - 1]!);
  else
    to.push({
      kind: "membership",
      op: first.op,
      attribute: first.attribute,
      values: run.map((m) => m.value),
      position,
    });
}

function memberOf(op: LogicalOp, node: FieldExpression): Member | null {
  if (node.kind !== "comparison") return null;
  const listOp = listOps[op][node.op];
  if (listOp === undefined) return null;
  const [attribute, value] = isAttribute(node.left) ? [node.left, node.right] : [node.right, node.left];
  if (!isAttribute(attribute) || value.kind !== "literal" || !listTypes.has(value.type)) return null;
  return { op: listOp, attribute, key: `${listOp} ${value.type} ${printAttribute(attribute)}`, value };
}

function isAttribute(node: FieldExpression): node is Attribute {
  return node.kind === "attribute" || node.kind === "intrinsic";
}
