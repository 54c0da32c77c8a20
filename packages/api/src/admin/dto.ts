import type { MoneyDto } from "../dto.ts";
import type { AuditEntryDto } from "../events/dto.ts";
import type { TrialDto } from "../offerings/dto.ts";

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
  /** What is left of the invoice, in its currency. */
  readonly amount: MoneyDto;
  /** Of the bank transfer; booked once. */
  readonly reference: string;
  /** Less pays a part, and what is more goes to the wallet; otherwise both are refused. */
  readonly amountMayDiffer?: boolean | undefined;
  readonly idempotencyKey: string;
}

export type InventoryFindingKindDto =
  | "missing"
  | "changed"
  | "mislabelled"
  | "running_unwanted"
  | "extra"
  | "foreign"
  | "unrenderable"
  | "orphan_namespace"
  | "namespace_stuck"
  | "stray"
  | "wrong_phase"
  | "hold_without_instance"
  | "instance_without_hold";

/** An object of the cluster; or an app's row, with the kind `Instance` and the app's id as its name. */
export interface InventorySubjectDto {
  readonly kind: string;
  readonly namespace: string | null;
  readonly name: string;
  readonly uid: string | null;
}

/** What the subject takes of the machines. */
export interface InventoryRequestsDto {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly storageBytes: number;
}

/** Facts for operators: which of them are there depends on the kind of the finding. */
export interface InventoryDetailsDto {
  /** Paths of fields that differ, without values. */
  readonly fields?: readonly string[] | undefined;
  readonly row?: "none" | "gone" | undefined;
  readonly volumes?: number | undefined;
  readonly running?: number | undefined;
  readonly isPurged?: boolean | undefined;
  readonly isHeldBack?: boolean | undefined;
  readonly isUnsigned?: boolean | undefined;
  readonly isShared?: boolean | undefined;
  readonly isNameTaken?: boolean | undefined;
  readonly deletingSince?: string | undefined;
  readonly blockedBy?: string | undefined;
  readonly desiredPhase?: string | undefined;
  readonly wantedPhase?: string | undefined;
}

/** One disagreement between rows and cluster, for as long as it stands. */
export interface InventoryFindingDto {
  readonly id: string;
  readonly kind: InventoryFindingKindDto;
  readonly severity: "critical" | "warning" | "info";
  readonly subject: InventorySubjectDto;
  readonly organizationId: string | null;
  readonly subscriptionId: string | null;
  readonly instanceId: string | null;
  readonly details: InventoryDetailsDto;
  /** Price of a day of the app; null when nobody can say. */
  readonly costPerDay: MoneyDto | null;
  readonly requests: InventoryRequestsDto | null;
  readonly firstSeenAt: Date;
  readonly lastSeenAt: Date;
  /** Whole looks that saw it, at least a quarter of an hour apart. An orphan is deleted from the second on. */
  readonly sightings: number;
  /** Since when people are told; an orphan once it has stood for a quarter of an hour. */
  readonly reportedAt: Date | null;
  readonly resolvedAt: Date | null;
  readonly action: "none" | "repaired" | "deleted" | "kept_for_data";
  readonly actedAt: Date | null;
}

export interface InventoryFindingPageDto {
  readonly items: readonly InventoryFindingDto[];
  readonly nextCursor: string | null;
}

/** One look at everything. */
export interface InventoryAuditDto {
  readonly id: string;
  readonly status: "queued" | "running" | "finished" | "failed";
  readonly requestedAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Everything could be read; otherwise nothing was resolved or deleted. Null while it has not finished. */
  readonly isWhole: boolean | null;
  readonly unread: readonly string[];
  readonly objects: number;
  readonly instances: number;
  /** Apps in flux, of which it could say nothing. */
  readonly unjudged: number;
  readonly findings: number;
  readonly resolved: number;
  readonly repaired: number;
  readonly deleted: number;
}

/** One audit, and what stands open now. */
export interface InventoryReportDto {
  /** Null before the first one has finished. */
  readonly audit: InventoryAuditDto | null;
  readonly openFindings: number;
  /** Open findings of which nobody can say what they cost. */
  readonly withoutPrice: number;
  /** By currency. An app with several findings counts once. */
  readonly costPerDay: readonly MoneyDto[];
}

export interface ListInventoryInput {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  /** Open ones unless told. */
  readonly status?: "open" | "resolved" | undefined;
  readonly kind?: InventoryFindingKindDto | undefined;
}

export interface InventoryFindingInput {
  readonly findingId: string;
}

export interface InventoryReportInput {
  /** Without it, the last audit that has finished. */
  readonly auditId?: string | undefined;
}

export interface ListTransactionsInput {
  readonly organizationId: string;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface OrganizationTransactionInput {
  readonly organizationId: string;
  readonly transactionId: string;
}

export interface AdjustWalletInput {
  readonly organizationId: string;
  /** Below zero: taken out of the wallet. */
  readonly amount: MoneyDto;
  /** For the audit, and for the customer. */
  readonly reason: string;
  readonly idempotencyKey: string;
}

export interface RefundInput {
  readonly organizationId: string;
  /** As an invoice names it, `pay_…`. */
  readonly paymentId: string;
  /** At most what was not given back yet. */
  readonly amount: MoneyDto;
  /** origin: where it came from. */
  readonly target: "origin" | "wallet";
  /** For the audit, and on the credit note. */
  readonly reason: string;
  readonly idempotencyKey: string;
}

/** A row that breaks a promise of the books, for as long as it does. */
export interface BooksFindingDto {
  readonly id: string;
  /** `M01` to `M33`. */
  readonly check: string;
  /** `books`: they are wrong. `clock`: something is late or out of step. */
  readonly kind: "books" | "clock";
  readonly row: string;
  /** Null for the house's own. */
  readonly organizationId: string | null;
  readonly parkedAt: Date | null;
  readonly firstSeenAt: Date;
  readonly resolvedAt: Date | null;
}

export interface BooksFindingPageDto {
  readonly items: readonly BooksFindingDto[];
  readonly nextCursor: string | null;
}

export interface ListBooksFindingsInput {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  /** Open ones unless told. */
  readonly status?: "open" | "resolved" | undefined;
}

/** One asking of the books. */
export interface BooksRunDto {
  readonly id: string;
  readonly mode: "recent" | "whole" | "organization";
  readonly startedAt: Date;
  readonly finishedAt: Date;
  /** Asked about. */
  readonly organizations: number;
  readonly findings: number;
  readonly opened: number;
  readonly resolved: number;
}

export interface BooksRunPageDto {
  readonly items: readonly BooksRunDto[];
  readonly nextCursor: string | null;
}

export interface UnparkInput {
  readonly organizationId: string;
  /** For the audit. */
  readonly reason: string;
}

export interface ParkingDto {
  readonly organizationId: string;
  readonly parkedAt: Date | null;
  readonly unparkedAt: Date | null;
}

/** A price with what it is made of, for operators' eyes. */
export interface AdminPriceDto {
  readonly amount: MoneyDto;
  /** What a period costs the house; null where the price was given whole. */
  readonly cost: MoneyDto | null;
  /** What was put on top of the cost, in hundredths of one percent. */
  readonly markupBasisPoints: number | null;
  /** Amount less cost. */
  readonly margin: MoneyDto | null;
  readonly setup: MoneyDto | null;
  readonly trial: TrialDto | null;
}

export interface AdminPlanDto {
  readonly id: string;
  readonly slug: string;
  readonly offeringSlug: string;
  readonly status: "published" | "hidden";
  /** Current ones, one of each currency. */
  readonly prices: readonly AdminPriceDto[];
}

export interface AdminPlanPageDto {
  readonly items: readonly AdminPlanDto[];
  readonly nextCursor: string | null;
}

/** An entry of the audit as operators read it: with which operator it was, and from where. */
export interface AdminAuditEntryDto extends AuditEntryDto {
  /** Null: about the house. */
  readonly organizationId: string | null;
}

export interface AdminAuditEntryPageDto {
  readonly items: readonly AdminAuditEntryDto[];
  readonly nextCursor: string | null;
}

export interface SearchAuditInput {
  readonly organizationId?: string | undefined;
  /** What a customer or operator did. */
  readonly actor?: { readonly type: "user" | "operator"; readonly id: string } | undefined;
  readonly action?: string | undefined;
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
}

export interface VerifyAuditInput {
  /** Without it, the chain of what was done to the house. */
  readonly organizationId?: string | undefined;
}

export interface AuditFaultDto {
  readonly type: "entry" | "head" | "checkpoint";
  readonly id: string;
  readonly message: string;
}

export interface VerifiedAuditDto {
  readonly entries: number;
  /** The first row that is wrong; null: the chain holds. */
  readonly fault: AuditFaultDto | null;
}

/** Whether it can be ordered. withdrawn: no longer in the catalog's files; hidden: by an operator; draft: without a price. */
export type ShelfStateDto = "published" | "hidden" | "withdrawn" | "draft";

export interface AdminOfferingDto {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly state: ShelfStateDto;
  readonly hiddenAt: Date | null;
  /** Where the vendor's agreement is filed. */
  readonly agreement: string | null;
  readonly plans: readonly AdminShelfPlanDto[];
}

export interface AdminShelfPlanDto {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  /** Of itself: the offering may be hidden as a whole. */
  readonly state: ShelfStateDto;
  readonly hiddenAt: Date | null;
  /** Of the blueprint that new orders get. */
  readonly version: number;
  /** Of a period. */
  readonly price: MoneyDto | null;
  /** That are not cancelled. */
  readonly liveSubscriptions: number;
  /** Why it may not be sold by the checks of today. */
  readonly obstacles: readonly string[];
}

export interface AdminOfferingPageDto {
  readonly items: readonly AdminOfferingDto[];
  readonly nextCursor: string | null;
}

export interface ShelfInput {
  readonly slug: string;
  /** One plan of it; all of the offering where it is left out. */
  readonly planSlug?: string | undefined;
  /** For the audit. */
  readonly reason: string;
}
