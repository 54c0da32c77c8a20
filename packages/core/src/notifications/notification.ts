import { z } from "zod";

export const locales = ["id", "en"] as const;
export type Locale = (typeof locales)[number];

const instant = z.iso.datetime();
const app = { appName: z.string().min(1) };
const subscription = { ...app, subscriptionId: z.uuid() };
/** `amountMinor` in minor units of the currency, as text because JSON knows no bigint. */
const money = { amountMinor: z.string().regex(/^\d{1,18}$/), currency: z.string().length(3) };
const due = { ...subscription, ...money, dueAt: instant };

/**
 * Every kind of mail and the facts that its text needs. The shapes are closed: a field that is not named here, such as
 * a password, is refused when the mail is queued and once more when it is sent. Moments are ISO strings in UTC; they are
 * shown in the organization's time zone.
 */
const notificationData = {
  /** The link is minted when the mail is sent, so that no token stands in the row. */
  verify_email: z.strictObject({}),
  reset_password: z.strictObject({}),
  /** To the owner of an address with which somebody tried to register once more. */
  register_attempt: z.strictObject({}),
  /** Somebody can sign in by an account at this provider from now on; and no longer. */
  sign_in_added: z.strictObject({ providerLabel: z.string().min(1) }),
  sign_in_removed: z.strictObject({ providerLabel: z.string().min(1) }),
  password_changed: z.strictObject({}),
  second_factor_changed: z.strictObject({ isOn: z.boolean() }),
  /** To an operator, who can do nothing but choose a new one from then on. */
  password_expiring: z.strictObject({ expiresAt: instant }),
  /** To an address that may have no account. Its organization and its sender chose the names. */
  invitation: z.strictObject({
    invitationId: z.uuid(),
    organizationName: z.string().min(1),
    inviterName: z.string().min(1),
    inviterEmail: z.string().min(1),
    expiresAt: instant,
  }),
  app_ready: z.strictObject({ ...app, instanceId: z.uuid(), address: z.url() }),
  /** The paid time ends soon and nothing has been paid for the next period. */
  app_expiring: z.strictObject({ ...subscription, expiresAt: instant }),
  /** Stopped; the data is kept until `deletesAt`. */
  app_expired: z.strictObject({ ...subscription, deletesAt: instant }),
  app_deletion_soon: z.strictObject({ ...subscription, deletesAt: instant }),
  /** An operator has stopped it. `message`: what they want to tell the customer. */
  app_held: z.strictObject({ ...app, instanceId: z.uuid(), message: z.string().nullable() }),
  app_deleted: z.strictObject(app),
  /** An operator acts as the reader, or has. */
  impersonation_began: z.strictObject({
    organizationName: z.string().min(1),
    reason: z.string().min(1),
    until: instant,
  }),
  impersonation_ended: z.strictObject({ organizationName: z.string().min(1), reason: z.string().min(1) }),
  /** An operator has switched it off, because its user has lost it. */
  second_factor_reset: z.strictObject({}),
  /** The first provisioning failed for good. `isRefunded`: money had been paid and was returned. */
  app_failed: z.strictObject({ ...app, isRefunded: z.boolean() }),
  /** The trial is over with the running period; the next one costs this. */
  trial_ending: z.strictObject({ ...subscription, ...money, endsAt: instant }),
  payment_due: z.strictObject(due),
  /** What was used before an app was cancelled. */
  usage_due: z.strictObject(due),
  /** Use has cost as much as the customer wanted to be told of, for a period that ends at `endsAt`. */
  usage_alert: z.strictObject({ ...subscription, ...money, endsAt: instant }),
  /** Use has cost as much as the customer allows: the app is stopped until the cap is raised, or until `endsAt`. */
  usage_capped: z.strictObject({ ...subscription, ...money, endsAt: instant }),
  /** A change of the app was approved, and is made when its money has come. */
  change_payment_due: z.strictObject(due),
  /** A change of the app was approved and came to nothing. `isRefunded`: money had been paid for it and was returned. */
  change_not_made: z.strictObject({ ...app, instanceId: z.uuid(), isRefunded: z.boolean() }),
  /** A saved card was charged for a renewal and refused. `nextAttemptAt`: null when it is not tried again. */
  payment_failed: z.strictObject({ ...subscription, ...money, nextAttemptAt: instant.nullable() }),
  /** The wallet could not be filled from the saved card. `isOff`: it is not tried any more. */
  top_up_failed: z.strictObject({ ...money, isOff: z.boolean() }),
  /** Money came that had nothing to pay any more. */
  payment_in_wallet: z.strictObject(money),
} as const satisfies Record<string, z.ZodType>;

export type NotificationKind = keyof typeof notificationData;
export type NotificationData = { readonly [K in NotificationKind]: Readonly<z.infer<(typeof notificationData)[K]>> };

/** A kind together with its own facts. */
export type Notification = {
  [K in NotificationKind]: { readonly kind: K; readonly data: NotificationData[K] };
}[NotificationKind];

/** The kinds whose link carries a one-time token of a user. */
export type TokenLinkKind = "verify_email" | "reset_password";

/** A link that is made when its mail is sent, so that no token stands in the row. */
export type TokenLink =
  | { readonly kind: TokenLinkKind; readonly userId: string }
  | { readonly kind: "invitation"; readonly invitationId: string };

export const notificationKinds = Object.keys(notificationData) as readonly NotificationKind[];

/** Throws on an unknown kind, a missing fact or a fact too many: all three are defects of ours. */
export function parseNotification(kind: string, data: unknown): Notification {
  const known = notificationKinds.find((name) => name === kind);
  if (known === undefined) throw new Error(`Broken invariant: there is no mail of the kind ${kind}`);
  // The schema was looked up by this very kind, so the two fit together.
  return { kind: known, data: notificationData[known].parse(data) } as Notification;
}
