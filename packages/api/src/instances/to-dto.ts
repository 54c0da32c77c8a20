import { type Credentials, holdReasons, type InstanceView, reasonCodes, toPublicId } from "@sewa/core";
import { toOperationDto } from "../operations/to-dto.ts";
import type { CredentialsDto, InstanceDto, PodDto } from "./dto.ts";

/** Leaves out where it runs: machines and namespaces are the operator's. */
export function toInstanceDto(view: InstanceView): InstanceDto {
  const { instance, pods, conditions, operation } = view;
  const { name, desiredPhase, requestedPhase, observedPhase, revision, createdAt, readyAt, observedAt, removedAt } =
    instance;
  return {
    id: toPublicId("instance", instance.id),
    subscriptionId: toPublicId("subscription", instance.subscriptionId),
    name,
    url: view.url,
    isOpen: view.isOpen,
    offering: { slug: view.offeringSlug, name: view.offeringName },
    planName: view.planName,
    addons: { ...instance.addons },
    desiredPhase,
    requestedPhase,
    observedPhase,
    reason: reasonOf(view.reason),
    message: view.message,
    conditions: conditions.map(({ type, status, reason, message }) => ({ type, status, reason, message })),
    pods: pods.map(toPodDto),
    revision,
    createdAt,
    readyAt,
    observedAt,
    removedAt,
    operation: operation === null ? null : toOperationDto(operation),
  };
}

export function toPodDto(pod: InstanceView["pods"][number]): PodDto {
  const { name, workload, phase, ready, restarts, reason, message, startedAt } = pod;
  return {
    name,
    workload,
    phase,
    ready,
    restarts,
    reason,
    message,
    startedAt: startedAt === null ? null : new Date(startedAt),
  };
}

export function toCredentialsDto({ url, credentials, instructions }: Credentials): CredentialsDto {
  return { url, credentials: credentials.map(({ name, label, value }) => ({ name, label, value })), instructions };
}

const shownReasons = [...reasonCodes, ...Object.values(holdReasons).map(({ code }) => code)];

function reasonOf(text: string | null): InstanceDto["reason"] {
  return shownReasons.find((code) => code === text) ?? null;
}
