import type { MoneyDto } from "../dto.ts";

export interface NodeConditionDto {
  readonly type: string;
  readonly status: string;
  readonly reason: string | null;
}

/** A machine of the cluster. */
export interface NodeDto {
  readonly name: string;
  readonly role: "control-plane" | "worker";
  readonly pool: string;
  readonly isReady: boolean;
  readonly isSchedulable: boolean;
  /** What an operator asked for; null when nobody did. */
  readonly desiredSchedulable: boolean | null;
  readonly allocatableCpuMillis: number;
  readonly allocatableMemoryBytes: number;
  readonly conditions: readonly NodeConditionDto[];
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  /** No longer listed by the cluster since then. */
  readonly removedAt: Date | null;
}

export interface NodePageDto {
  readonly items: readonly NodeDto[];
  readonly nextCursor: string | null;
}

export interface NodeInput {
  readonly name: string;
}

export interface ScheduleNodeInput {
  readonly name: string;
  /** For the audit. */
  readonly reason?: string | undefined;
}

export interface RecordPaymentInput {
  readonly organizationId: string;
  readonly invoiceId: string;
  /** The whole of the invoice, in its currency. */
  readonly amount: MoneyDto;
  /** Of the bank transfer; booked once. */
  readonly reference: string;
  readonly idempotencyKey: string;
}
