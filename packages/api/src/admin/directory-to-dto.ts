import {
  type InstanceEntry,
  type OrderEntry,
  type OrganizationEntry,
  type PaymentEntry,
  type SubscriptionEntry,
  toPublicId,
  type Suspension,
  type UserEntry,
} from "@sewa/core";
import type {
  AdminInstanceDto,
  AdminOrderDto,
  AdminOrganizationDto,
  AdminPaymentDto,
  AdminSubscriptionDto,
  AdminUserDto,
  SuspensionDto,
} from "./directory-dto.ts";

export function toAdminOrganizationDto(entry: OrganizationEntry): AdminOrganizationDto {
  return { ...entry, id: toPublicId("organization", entry.id) };
}

export function toSuspensionDto({ userId, suspendedAt }: Suspension): SuspensionDto {
  return { userId: toPublicId("user", userId), suspendedAt };
}

export function toAdminUserDto(entry: UserEntry): AdminUserDto {
  return {
    ...entry,
    id: toPublicId("user", entry.id),
    organizations: entry.organizations.map((organization) => ({
      ...organization,
      id: toPublicId("organization", organization.id),
    })),
  };
}

export function toAdminOrderDto(entry: OrderEntry): AdminOrderDto {
  const { offeringSlug, planSlug, totalMinor, currency, placedAt } = entry;
  return {
    ...ownerOf("order", entry),
    subscriptionId: toPublicId("subscription", entry.subscriptionId),
    offeringSlug,
    planSlug,
    total: { amountMinor: totalMinor, currency },
    placedAt,
  };
}

export function toAdminSubscriptionDto(entry: SubscriptionEntry): AdminSubscriptionDto {
  const { amountMinor, currency, ...rest } = entry;
  return {
    ...rest,
    ...ownerOf("subscription", entry),
    instanceId: toPublicId("instance", entry.instanceId),
    price: { amountMinor, currency },
  };
}

export function toAdminInstanceDto(entry: InstanceEntry): AdminInstanceDto {
  return {
    ...entry,
    ...ownerOf("instance", entry),
    subscriptionId: toPublicId("subscription", entry.subscriptionId),
  };
}

export function toAdminPaymentDto(entry: PaymentEntry): AdminPaymentDto {
  const { provider, reference, amountMinor, refundedMinor, currency, receivedAt } = entry;
  return {
    ...ownerOf("payment", entry),
    invoiceId: toPublicId("invoice", entry.invoiceId),
    provider,
    reference,
    amount: { amountMinor, currency },
    refunded: { amountMinor: refundedMinor, currency },
    receivedAt,
  };
}

interface OfOrganization {
  readonly id: string;
  readonly organizationId: string;
  readonly organizationName: string;
}

function ownerOf(
  kind: "order" | "subscription" | "instance" | "payment",
  { id, organizationId, organizationName }: OfOrganization,
): OfOrganization {
  return {
    id: toPublicId(kind, id),
    organizationId: toPublicId("organization", organizationId),
    organizationName,
  };
}
