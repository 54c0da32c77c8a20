import type { ActiveFaults } from "../faults.ts";
import type { Container, Pod } from "../kube/kinds.ts";
import { controllerOf } from "../kube/object.ts";
import { find, type Control } from "./control.ts";

/** What a container does once it was started. Nothing really runs, so this is decided, not observed. */
export type Behaviour =
  | { readonly kind: "serves" }
  | {
      readonly kind: "ends";
      readonly exitCode: number;
      readonly reason: "Completed" | "Error" | "OOMKilled";
      readonly isPrompt: boolean;
    };

/**
 * Containers serve until they are stopped, except: those under a fault, those of a Job (which end well after a moment,
 * unless the Job is told to fail), init containers, and the few commands whose end can be read from them.
 */
export function behaviourOf(faults: ActiveFaults, pod: Pod, container: Container, isInit: boolean): Behaviour {
  if (faults.isOomKilled(container.image)) return { kind: "ends", exitCode: 137, reason: "OOMKilled", isPrompt: true };
  const crash = faults.crashExitCode(container.image);
  if (crash !== null) return ends(crash, true);
  const owner = controllerOf(pod);
  const jobExit = owner?.kind === "Job" ? faults.jobExitCode(owner.name) : 0;
  if (jobExit !== 0) return ends(jobExit, false);
  const scripted = exitCodeOfCommand(container.command ?? []);
  if (scripted !== null) return ends(scripted, scripted !== 0);
  if (isInit && container.restartPolicy !== "Always") return ends(0, false);
  return (pod.spec.restartPolicy ?? "Always") === "Always" ? { kind: "serves" } : runsOnce(container);
}

function runsOnce(container: Container): Behaviour {
  const script = (container.command ?? []).join(" ");
  return /\b(httpd|wait|sleep (\d{3,}|inf))/.test(script) ? { kind: "serves" } : ends(0, false);
}

function ends(exitCode: number, isPrompt: boolean): Behaviour {
  return { kind: "ends", exitCode, reason: exitCode === 0 ? "Completed" : "Error", isPrompt };
}

/** `true`, `false`, and shell scripts that end with a plain `exit N`; null for everything else. */
function exitCodeOfCommand(command: readonly string[]): number | null {
  const [program = "", flag, script = ""] = command;
  if (command.length === 1 && (program === "true" || program === "false")) return program === "true" ? 0 : 1;
  const isShell = /^(\/bin\/)?(ba|a)?sh$/.test(program) && flag === "-c";
  if (!isShell || /\b(trap|while|wait)\b/.test(script)) return null;
  const match = /(?:^|[;&\s])exit (\d+)\s*$/.exec(script);
  return match === null ? null : Number(match[1]);
}

/** Why a container cannot be made: a Secret or ConfigMap of its environment that is missing. Null when all is there. */
export function missingConfig(control: Control, pod: Pod, container: Container): string | null {
  const namespace = pod.metadata.namespace ?? "";
  const kinds = {
    secretKeyRef: "secret",
    secretRef: "secret",
    configMapKeyRef: "configmap",
    configMapRef: "configmap",
  };
  const references = [
    ...(container.envFrom ?? []),
    ...(container.env ?? []).flatMap((variable) => (variable.valueFrom === undefined ? [] : [variable.valueFrom])),
  ];
  for (const reference of references) {
    for (const [member, kind] of Object.entries(kinds)) {
      const wanted = reference[member];
      if (wanted?.name === undefined || wanted.optional === true) continue;
      if (find(control, `${kind}s`, namespace, wanted.name) === null) return `${kind} "${wanted.name}" not found`;
    }
  }
  return null;
}

/** The first mounted volume whose Secret or ConfigMap is missing. Volumes that nobody mounts are never looked at. */
export function missingVolume(control: Control, pod: Pod): { readonly volume: string; readonly why: string } | null {
  const namespace = pod.metadata.namespace ?? "";
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const mounted = new Set(containers.flatMap((item) => (item.volumeMounts ?? []).map((mount) => mount.name)));
  for (const volume of pod.spec.volumes ?? []) {
    if (!mounted.has(volume.name)) continue;
    const wanted = [
      { kind: "secret", name: volume.secret?.secretName, isOptional: volume.secret?.optional === true },
      { kind: "configmap", name: volume.configMap?.name, isOptional: volume.configMap?.optional === true },
    ];
    for (const { kind, name, isOptional } of wanted) {
      if (name === undefined || isOptional || find(control, `${kind}s`, namespace, name) !== null) continue;
      return { volume: volume.name, why: `${kind} "${name}" not found` };
    }
  }
  return null;
}
