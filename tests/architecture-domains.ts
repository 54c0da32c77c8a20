import { isTest, resolveRelative } from "./architecture-rooms.ts";
import { at, type Violation } from "./architecture-rules.ts";
import type { SourceFile } from "./architecture-source.ts";

/**
 * The line of core's domains, from the top: a domain imports what stands below it. Beside each other means "either way, but
 * not both". What has to go upwards goes as a job.
 */
const DOMAIN_LINE: readonly (readonly string[])[] = [
  ["clocks", "books", "inventory", "reports", "documents", "directory", "privacy"],
  ["orders", "changes"],
  ["payments", "spending"],
  ["subscriptions"],
  ["billing"],
  ["usage", "uptime", "coupons"],
  ["instances"],
  ["operations", "organizations", "wallet", "catalog", "capacity", "taxes", "tokens"],
  ["accounts", "notifications"],
  ["keys"],
  ["events", "audit", "jobs", "idempotency", "outgoing", "ledger"],
];

const CORE = "packages/core/src/";

/** Core is entered at `@sewa/core`, a domain at its index.ts; files in core's root are the foundation and know no domain. */
export function checkDomains(files: readonly SourceFile[]): readonly Violation[] {
  const edges = new Map<string, { readonly to: string; readonly violation: Violation }[]>();
  const violations = files.flatMap((file) => {
    if (!file.path.startsWith(CORE)) return [];
    const from = domainOf(file.path);
    const isEntrance = file.path === `${CORE}index.ts`;
    const found: Violation[] = [];
    if (from !== null && from !== "testing" && levelOf(from) === -1) {
      found.push(at(file, 1, `the domain ${from} has no place in the line (tests/architecture-domains.ts)`));
    }
    for (const { specifier, line } of file.imports) {
      if (!specifier.startsWith(".")) continue;
      const target = resolveRelative(file.path, specifier);
      const to = domainOf(target);
      if (target === `${CORE}index.ts`) found.push(at(file, line, "core's own index.ts is for other packages"));
      if (to === null || to === from || to === "testing") continue;
      if (target !== `${CORE}${to}/index.ts`)
        found.push(at(file, line, `${specifier}: a domain is entered through its index.ts`));
      if (isEntrance || isTest(file.path)) continue;
      if (from === null) found.push(at(file, line, `the foundation may not know the domain ${to}`));
      else if (levelOf(to) < levelOf(from))
        found.push(at(file, line, `${from} may not import ${to}: it stands above; send a job`));
      else edges.set(from, [...(edges.get(from) ?? []), { to, violation: at(file, line, "") }]);
    }
    return found;
  });
  const circles = findCircles([...edges.keys()], (from) => (edges.get(from) ?? []).map(({ to }) => to));
  return [
    ...violations,
    ...circles.map((circle) => ({
      ...(edges.get(circle[0] ?? "")?.find(({ to }) => to === circle[1])?.violation ?? { path: CORE, line: 1 }),
      message: `domains in a circle: ${circle.join(" -> ")}`,
    })),
  ];
}

/** No file may need itself in order to load. Types do not count: they are gone when the program runs. */
export function checkFileCircles(files: readonly SourceFile[]): readonly Violation[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const targets = (path: string): string[] =>
    (byPath.get(path)?.imports ?? [])
      .filter(({ specifier, typeOnly }) => specifier.startsWith(".") && !typeOnly)
      .map(({ specifier }) => resolveRelative(path, specifier))
      .filter((target) => byPath.has(target));
  return findCircles([...byPath.keys()], targets).map((circle) => ({
    path: circle[0] ?? "",
    line: 1,
    message: `files in a circle: ${circle.join(" -> ")}`,
  }));
}

/** One circle per edge that closes one, as the nodes on the way round. Depth first, each node once. */
export function findCircles(
  nodes: readonly string[],
  targetsOf: (node: string) => readonly string[],
): readonly string[][] {
  const done = new Set<string>();
  const circles: string[][] = [];
  const visit = (node: string, way: readonly string[]): void => {
    const start = way.indexOf(node);
    if (start !== -1) circles.push([...way.slice(start), node]);
    if (start !== -1 || done.has(node)) return;
    for (const target of new Set(targetsOf(node))) visit(target, [...way, node]);
    done.add(node);
  };
  for (const node of nodes) visit(node, []);
  return circles;
}

/** The domain's folder, or null for a file in core's root. */
function domainOf(path: string): string | null {
  if (!path.startsWith(CORE)) return null;
  const parts = path.slice(CORE.length).split("/");
  return parts.length > 1 ? (parts[0] ?? null) : null;
}

function levelOf(domain: string): number {
  return DOMAIN_LINE.findIndex((level) => level.includes(domain));
}
