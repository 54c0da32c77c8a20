import type { ASTNode } from "@marcbachmann/cel-js";
import type { Fields, Problem, Scope } from "./scope.ts";

/**
 * What a definition may call. Everything else that the language offers is refused: regular expressions can take
 * exponential time, comprehensions multiply the work, and clocks would make the same definition give different answers.
 */
const functions = new Set(["string", "int", "double", "bool", "size", "has"]);
const methods = new Set(
  "startsWith endsWith contains size lowerAscii upperAscii trim indexOf lastIndexOf substring".split(" "),
);

interface Inspection {
  readonly problems: readonly Problem[];
  /** The undeclared names, as `[root, name]`, so that the rest of the expression can still be type-checked. */
  readonly undeclared: readonly (readonly [string, string])[];
}

/** Walks the tree once and names everything it may not contain. */
export function inspect(ast: ASTNode, scope: Scope): Inspection {
  const problems: Problem[] = [];
  const undeclared: (readonly [string, string])[] = [];
  visit(ast);
  return { problems, undeclared };

  function report(node: ASTNode, message: string, code: Problem["code"] = "EXPRESSION"): void {
    problems.push({ code, offset: node.range.start, message });
  }

  function visit(node: ASTNode): void {
    const path = namePath(node);
    if (path !== null) return visitName(node, path);
    switch (node.op) {
      case "value":
        if (typeof node.args === "object" && node.args !== null) report(node, "This kind of literal is not allowed.");
        return;
      case "id":
        return;
      case "call":
        if (!functions.has(node.args[0])) report(node, `Unknown function: ${node.args[0]}.`);
        return node.args[1].forEach(visit);
      case "rcall":
        if (!methods.has(node.args[0])) report(node, `Unknown function: ${node.args[0]}.`);
        visit(node.args[1]);
        return node.args[2].forEach(visit);
      case ".":
        return visit(node.args[0]);
      case "!_":
      case "-_":
        return visit(node.args);
      case "list":
      case "[]":
      case "?:":
        return node.args.forEach(visit);
      case ".?":
      case "[?]":
      case "map":
        return report(node, "Maps and optional access are not allowed.");
      case "||":
      case "&&":
      case "==":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
      case "+":
      case "-":
      case "*":
      case "/":
      case "%":
      case "in":
        return node.args.forEach(visit);
    }
  }

  function visitName(node: ASTNode, path: readonly NamePart[]): void {
    let fields: Fields | null = scope.roots;
    for (const [depth, part] of path.entries()) {
      if (part.name === null) {
        visit(part.node);
        // `parameters[x]` would put off until evaluation what can be found now.
        if (fields !== null) report(part.node, "Write the name itself between the brackets.");
        fields = null;
        continue;
      }
      if (fields === null) continue;
      const known: Fields[string] | undefined = Object.hasOwn(fields, part.name) ? fields[part.name] : undefined;
      if (known === undefined) {
        if (!(scope.open && depth === 0)) reportUnknown(node, path, depth, part);
        return;
      }
      fields = typeof known === "string" ? null : known;
    }
  }

  function reportUnknown(node: ASTNode, path: readonly NamePart[], depth: number, part: NamePart): void {
    const root = path[0]?.name;
    const code = { parameters: "UNDECLARED_PARAMETER", env: "UNDECLARED_SETTING" } as const;
    if (depth === 1 && part.name !== null && (root === "parameters" || root === "env")) {
      const what = root === "parameters" ? "parameter" : "setting";
      undeclared.push([root, part.name]);
      return report(part.node, `The ${what} ${part.name} is not declared.`, code[root]);
    }
    const prefix = path
      .slice(0, depth)
      .map(({ name }) => `${name}.`)
      .join("");
    report(depth === 0 ? node : part.node, `Unknown name: ${prefix}${part.name}.`);
  }
}

interface NamePart {
  /** Null for a computed index. */
  readonly name: string | null;
  readonly node: ASTNode;
}

/** `a.b["c"]` as its parts; null for anything that does not begin with a name. */
function namePath(node: ASTNode): NamePart[] | null {
  if (node.op === "id") return [{ name: node.args, node }];
  if (node.op !== "." && node.op !== "[]") return null;
  const parts = namePath(node.args[0]);
  if (parts === null) return null;
  if (node.op === ".") return [...parts, { name: node.args[1], node }];
  const index = node.args[1];
  const literal = index.op === "value" && typeof index.args === "string" ? index.args : null;
  return [...parts, { name: literal, node: index }];
}
