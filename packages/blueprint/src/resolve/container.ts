import type { Path } from "../position.ts";
import type { ResolvedContainer, ResolvedEnv, ResolvedJob, ResolvedWorkload } from "../resolved-app.ts";
import type {
  ClaimDefinition,
  EnvironmentDefinition,
  SecurityDefinition,
  WorkloadDefinition,
} from "../schema/workload.ts";

/** The text with its expressions filled in. Throws BlueprintError with the place of what failed. */
export type Render = (text: string, path: Path) => string;

export function resolveContainer(
  container: Pick<WorkloadDefinition, "image" | "command" | "args" | "env">,
  path: Path,
  render: Render,
): ResolvedContainer {
  const list = (key: "command" | "args"): { [name in typeof key]?: readonly string[] } => {
    const texts = container[key];
    return texts === undefined ? {} : { [key]: texts.map((text, index) => render(text, [...path, key, index])) };
  };
  return {
    image: container.image,
    ...list("command"),
    ...list("args"),
    env: resolveEnvironment(container.env, [...path, "env"], render),
  };
}

function resolveEnvironment(env: EnvironmentDefinition, path: Path, render: Render): ResolvedEnv[] {
  return Object.entries(env).map(([name, value]) => {
    if (typeof value === "object") return { name, secret: value.secret };
    return { name, value: typeof value === "string" ? render(value, [...path, name]) : String(value) };
  });
}

/** Files of the volumes belong to the user that runs, unless the definition says otherwise. */
export function resolveSecurity(security: SecurityDefinition): ResolvedWorkload["security"] {
  const { runAsUser, runAsGroup = runAsUser, fsGroup = runAsGroup, readOnlyRootFilesystem } = security;
  return { runAsUser, runAsGroup, fsGroup, readOnlyRootFilesystem };
}

/** The claim mostly runs in the app's own image, which has the client of the app's own interface. */
export function resolveClaim(claim: ClaimDefinition, exposed: WorkloadDefinition, render: Render): ResolvedJob {
  return {
    ...resolveContainer({ ...claim, image: claim.image ?? exposed.image }, ["claim"], render),
    timeoutSeconds: claim.timeoutSeconds,
    security: resolveSecurity(claim.security ?? exposed.security),
  };
}
