/** Paths of one object; a change that touches more is told by the first ones. */
const maxPaths = 60;

/**
 * Paths at which two contents differ, without any values: `spec.template.spec.containers[app].image`. Items of a list that
 * have names are matched by them, as people do.
 */
export function diffPaths(before: unknown, after: unknown): readonly string[] {
  const paths: string[] = [];
  walk(before, after, "", paths);
  return paths.toSorted().slice(0, maxPaths);
}

function walk(before: unknown, after: unknown, path: string, paths: string[]): void {
  if (Object.is(before, after)) return;
  const [left, right] = [membersOf(before, after), membersOf(after, before)];
  if (left === null || right === null) {
    if (JSON.stringify(before) !== JSON.stringify(after)) paths.push(path);
    return;
  }
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    walk(left.get(key), right.get(key), join(path, key), paths);
  }
}

/** Members by the text that they add to a path; null for what has none, and where the other side is of another form. */
function membersOf(value: unknown, other: unknown): ReadonlyMap<string, unknown> | null {
  // What is not there is the empty form of what is.
  const form = value ?? other;
  if (form === null || typeof form !== "object") return null;
  if (Array.isArray(form)) {
    if (!Array.isArray(value ?? []) || !Array.isArray(other ?? [])) return null;
    return new Map(((value ?? []) as readonly unknown[]).map((item, index) => [`[${nameOf(item) ?? index}]`, item]));
  }
  if (Array.isArray(value) || Array.isArray(other) || !isOptionalObject(value) || !isOptionalObject(other)) return null;
  return new Map(Object.entries(value ?? {}));
}

function isOptionalObject(value: unknown): value is Readonly<Record<string, unknown>> | undefined | null {
  return value === undefined || value === null || typeof value === "object";
}

function nameOf(item: unknown): string | null {
  if (item === null || typeof item !== "object" || !("name" in item)) return null;
  return typeof item.name === "string" ? item.name : null;
}

/** Keys with dots or slashes in them, as those of labels, stand in brackets. */
function join(path: string, key: string): string {
  if (key.startsWith("[")) return path + key;
  if (/[./]/u.test(key)) return `${path}[${key}]`;
  return path === "" ? key : `${path}.${key}`;
}
