import { clone, deepEqual, isRecord, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/** An operation that does not fit the document: a failed test, a missing path. */
export class PatchError extends Error {}

/** JSON patch (RFC 6902), on a copy of the document. */
export function jsonPatch(document: JsonRecord, operations: readonly unknown[]): JsonRecord {
  const root: JsonRecord = { document: clone(document) };
  for (const operation of operations) perform(root, recordOf(operation));
  return recordOf(root["document"]);
}

function perform(root: JsonRecord, operation: JsonRecord): void {
  const path = parsePointer(stringOf(operation["path"]));
  switch (operation["op"]) {
    case "add":
      return add(root, path, clone(operation["value"]));
    case "remove":
      remove(root, path);
      return;
    case "replace":
      remove(root, path);
      return add(root, path, clone(operation["value"]));
    case "move":
      return add(root, path, remove(root, parsePointer(stringOf(operation["from"]))));
    case "copy":
      return add(root, path, clone(read(root, parsePointer(stringOf(operation["from"])))));
    case "test":
      if (!deepEqual(read(root, path), operation["value"])) throw new PatchError("testing value failed");
      return;
    default:
      throw new PatchError(`unknown operation ${stringOf(operation["op"])}`);
  }
}

function parsePointer(pointer: string): string[] {
  const parts = pointer.split("/").slice(1);
  return ["document", ...parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))];
}

function holderOf(root: JsonRecord, path: readonly string[]): JsonRecord | unknown[] {
  const holder = read(root, path.slice(0, -1));
  if (isRecord(holder) || Array.isArray(holder)) return holder;
  throw new PatchError(`path ${path.slice(1).join("/")} does not exist`);
}

function read(root: JsonRecord, path: readonly string[]): unknown {
  let current: unknown = root;
  for (const part of path) {
    current = Array.isArray(current) ? current[Number(part)] : recordOf(current)[part];
    if (current === undefined) throw new PatchError(`path ${path.slice(1).join("/")} does not exist`);
  }
  return current;
}

function add(root: JsonRecord, path: readonly string[], value: unknown): void {
  const holder = holderOf(root, path);
  const last = path.at(-1) ?? "";
  if (!Array.isArray(holder)) holder[last] = value;
  else {
    const index = last === "-" ? holder.length : Number(last);
    if (!Number.isInteger(index) || index < 0 || index > holder.length) throw new PatchError(`no index ${last}`);
    holder.splice(index, 0, value);
  }
}

function remove(root: JsonRecord, path: readonly string[]): unknown {
  const value = read(root, path);
  const holder = holderOf(root, path);
  const last = path.at(-1) ?? "";
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return value;
}
