export type OperationKindDto =
  "provision" | "start" | "stop" | "restart" | "resize" | "update" | "upgrade" | "deprovision";

export interface OperationStepDto {
  readonly key:
    "queued" | "namespace" | "secrets" | "volume" | "workload" | "pods" | "claim" | "address" | "health" | "ready";
  readonly status: "pending" | "running" | "done" | "skipped" | "failed";
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** Something that takes a while, to be followed. Its times are real, also where the organization lives on a test clock. */
export interface OperationDto {
  readonly id: string;
  readonly instanceId: string;
  readonly kind: OperationKindDto;
  readonly status: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  /** In the order in which they happen. */
  readonly steps: readonly OperationStepDto[];
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly reason: string | null;
  /** A sentence for the customer. */
  readonly message: string | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  /** When it has failed unless it is done by then. */
  readonly deadlineAt: Date;
  readonly finishedAt: Date | null;
}

export interface OperationPageDto {
  readonly items: readonly OperationDto[];
  readonly nextCursor: string | null;
}

export interface OperationInput {
  readonly operationId: string;
}

export interface ListOperationsInput {
  readonly instanceId?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}
