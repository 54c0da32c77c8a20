import type { ResolvedContainer, ResolvedWorkload } from "@sewa/blueprint";
import { contentHash } from "./hash.ts";
import { filesName, objectNames, ownObject } from "./names.ts";
import type { InstanceSpec, KubeManifest } from "./types.ts";

/** Uses `data`: with `stringData` an apply would never remove a key that is no longer declared. */
export function renderSecret(spec: InstanceSpec): KubeManifest {
  const data = Object.fromEntries(
    spec.app.secrets.map(({ name }) => [name, Buffer.from(secretValue(spec, name), "utf8").toString("base64")]),
  );
  return ownObject(spec, "v1", "Secret", objectNames.secret, { type: "Opaque", data });
}

export function renderFiles(spec: InstanceSpec, workload: ResolvedWorkload): KubeManifest {
  const data = Object.fromEntries(workload.files.map((file, index) => [fileKey(index), file.content]));
  return ownObject(spec, "v1", "ConfigMap", filesName(workload.id), { data });
}

/** Paths hold characters that a key may not, so files are numbered in the order in which they are declared. */
export function fileKey(index: number): string {
  return `file-${String(index)}`;
}

/**
 * Changes when a container's secrets or files change: neither reaches a running process, so the pods must be replaced.
 * The instance id salts it, so that equal values in two instances do not show as equal.
 */
export function configHash(spec: InstanceSpec, workload: ResolvedWorkload): string {
  const secrets = usedSecrets(workload).map((name) => [name, secretValue(spec, name)]);
  return contentHash({ instance: spec.instanceId, secrets, files: workload.files });
}

/** `env` of a container; secret values are referred to, never written into the pod. */
export function renderEnv(container: ResolvedContainer): readonly Readonly<Record<string, unknown>>[] {
  return container.env.map((entry) =>
    "secret" in entry
      ? { name: entry.name, valueFrom: { secretKeyRef: { name: objectNames.secret, key: entry.secret } } }
      : { name: entry.name, value: entry.value },
  );
}

function usedSecrets(container: ResolvedContainer): readonly string[] {
  return [...new Set(container.env.flatMap((entry) => ("secret" in entry ? [entry.secret] : [])))].toSorted();
}

function secretValue(spec: InstanceSpec, name: string): string {
  const value = spec.secrets[name];
  // Without it the pod would wait for a key that never comes; a spec like this is a defect of whoever built it.
  if (value === undefined) throw new Error(`The secret ${name} has no value.`);
  return value;
}
