/** Ids of things that belong to one organization, as a client writes them; the same shape for ids of nobody. */
export interface Things {
  readonly organizationId: string;
  readonly userId: string;
  readonly invitationId: string;
  readonly tokenId: string;
  readonly orderId: string;
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly operationId: string;
  readonly changeId: string;
  readonly invoiceId: string;
  readonly paymentId: string;
  readonly methodId: string;
  readonly transactionId: string;
  readonly bookedPaymentId: string;
}

/** What every organization sees alike, so that nothing but the ids above decides. */
export interface Shared {
  readonly planId: string;
  /** New for each call, as a client would make it up. */
  readonly idempotencyKey: string;
}

/** A valid input of a procedure that names these things; undefined where it takes none. */
export type Row = (things: Things, shared: Shared) => unknown;

const amount = { amountMinor: 1_000n, currency: "IDR" };
const reason = "As the matrix wants it.";
const none: Row = () => undefined;
const page: Row = () => ({});
const instance: Row = ({ instanceId }) => ({ instanceId });
const operate: Row = ({ instanceId }, { idempotencyKey }) => ({ instanceId, idempotencyKey });
const subscription: Row = ({ subscriptionId }) => ({ subscriptionId });
const change: Row = ({ subscriptionId }, { idempotencyKey }) => ({ subscriptionId, idempotencyKey });

/** Every procedure that is not open to everybody. One that is not here fails the test. */
export const rows: Readonly<Record<string, Row>> = {
  "auth.me": none,
  "auth.socketTicket": none,
  "account.export": page,
  "account.previewDeletion": none,
  // Nobody's address: whoever may call it keeps their account.
  "account.delete": () => ({ confirmEmail: "matrix@example.com" }),
  "audit.list": page,
  "auth.changePassword": () => ({ currentPassword: "not the password", newPassword: "another password" }),
  "auth.confirm": () => ({ password: "not the password" }),
  "auth.identities.get": none,
  "auth.identities.link": () => ({ provider: "nobodys", returnTo: "/" }),
  "auth.identities.confirm": () => ({ provider: "nobodys", returnTo: "/" }),
  "auth.identities.unlink": () => ({ identityId: "idn_00000000000000000000000001" }),
  "auth.sessions.list": page,
  "auth.sessions.revoke": () => ({ sessionId: "ses_00000000000000000000000001" }),
  "auth.sessions.revokeOthers": none,
  "auth.totp.status": none,
  "auth.totp.begin": none,
  "auth.totp.enable": () => ({ code: "000000" }),
  "auth.totp.disable": none,
  "auth.totp.renewRecoveryCodes": none,
  "orders.quote": (_, { planId }) => ({ planId, parameters: {} }),
  "orders.place": (_, { planId, idempotencyKey }) => ({
    planId,
    parameters: {},
    name: "Mine",
    priceKey: "0".repeat(32),
    idempotencyKey,
  }),
  "orders.list": page,
  "orders.get": ({ orderId }) => ({ orderId }),
  "subscriptions.list": page,
  "subscriptions.get": subscription,
  "subscriptions.renew": change,
  "subscriptions.cancelNow": ({ subscriptionId }, { idempotencyKey }) => ({
    subscriptionId,
    confirmName: "Status page",
    idempotencyKey,
  }),
  "subscriptions.cancelAtPeriodEnd": change,
  "subscriptions.previewChange": ({ subscriptionId }, { planId }) => ({ subscriptionId, planId, moment: "now" }),
  "subscriptions.changePlan": ({ subscriptionId }, { planId, idempotencyKey }) => ({
    subscriptionId,
    planId,
    moment: "now",
    at: new Date("2026-01-01"),
    priceKey: "0".repeat(32),
    idempotencyKey,
  }),
  "subscriptions.undoPlanChange": change,
  "subscriptions.undoCancel": change,
  "instances.list": page,
  "instances.get": instance,
  "instances.start": operate,
  "instances.stop": operate,
  "instances.restart": operate,
  "instances.plan": ({ instanceId }, { idempotencyKey }) => ({
    instanceId,
    change: { kind: "upgrade" },
    idempotencyKey,
  }),
  "instances.getPlan": ({ changeId }) => ({ changeId }),
  "instances.listPlans": instance,
  "instances.executePlan": ({ changeId }, { idempotencyKey }) => ({ changeId, hash: "0".repeat(32), idempotencyKey }),
  "instances.revealCredentials": instance,
  "instances.events": instance,
  "instances.pods": instance,
  "instances.metrics": instance,
  "instances.uptime": instance,
  "instances.logs": instance,
  "instances.onLog": instance,
  "instances.onStatus": instance,
  // From the beginning, so that there is something to say at once.
  "instances.onEvent": ({ instanceId }) => ({ instanceId, lastEventId: "0" }),
  "operations.list": instance,
  "operations.get": ({ operationId }) => ({ operationId }),
  "coupons.apply": ({ subscriptionId }, { idempotencyKey }) => ({ subscriptionId, code: "MATRIX", idempotencyKey }),
  "coupons.list": page,
  "invoices.list": subscription,
  "invoices.get": ({ invoiceId }) => ({ invoiceId }),
  "invoices.document": ({ invoiceId }) => ({ invoiceId, format: "html" }),
  "invoices.previewNext": subscription,
  "organizations.list": page,
  "organizations.create": (_, { idempotencyKey }) => ({ name: "Another", idempotencyKey }),
  "organizations.get": none,
  "organizations.update": () => ({ name: "Taken over" }),
  "organizations.leave": none,
  "organizations.transferOwnership": ({ userId }) => ({ userId }),
  "organizations.members.list": page,
  "organizations.members.changeRole": ({ userId }) => ({ userId, role: "viewer" }),
  "organizations.members.remove": ({ userId }, { idempotencyKey }) => ({ userId, idempotencyKey }),
  "organizations.invitations.create": (_, { idempotencyKey }) => ({
    email: "matrix@example.com",
    role: "viewer",
    idempotencyKey,
  }),
  "organizations.invitations.list": page,
  "organizations.invitations.revoke": ({ invitationId }) => ({ invitationId }),
  "organizations.invitations.accept": () => ({ token: "sewa_i_x" }),
  "organizations.invitations.decline": () => ({ token: "sewa_i_x" }),
  "tokens.create": (_, { idempotencyKey }) => ({
    name: "Matrix",
    scopes: ["read"],
    expiresInDays: 30,
    idempotencyKey,
  }),
  "tokens.list": page,
  "tokens.revoke": ({ tokenId }) => ({ tokenId }),
  "payments.start": ({ invoiceId }, { idempotencyKey }) => ({ invoiceId, method: "checkout", idempotencyKey }),
  "payments.cancel": ({ paymentId }, { idempotencyKey }) => ({ paymentId, idempotencyKey }),
  "payments.get": ({ paymentId }) => ({ paymentId }),
  "payments.list": ({ invoiceId }) => ({ invoiceId }),
  "payments.listMethods": page,
  "payments.removeMethod": ({ methodId }) => ({ methodId }),
  "payments.setAutomatic": ({ methodId }) => ({ methodId, isAutomatic: true }),
  "wallet.get": none,
  "wallet.topUp": ({ methodId }, { idempotencyKey }) => ({ amount, method: "saved", methodId, idempotencyKey }),
  "wallet.setAutoTopUp": ({ methodId }) => ({
    autoTopUp: { thresholdMinor: 1_000n, amountMinor: 100_000n, methodId },
  }),
  "usage.current": subscription,
  "usage.history": subscription,
  "usage.limits": subscription,
  "usage.setLimits": ({ subscriptionId }) => ({ subscriptionId, capMinor: 1_000n }),
  "transactions.list": page,
  "transactions.get": ({ transactionId }) => ({ transactionId }),
  "events.list": instance,
  "clock.get": none,
  "clock.advance": () => ({ to: new Date("2199-01-01") }),
  "admin.nodes.list": page,
  "admin.nodes.get": () => ({ name: "pc-2" }),
  "admin.nodes.cordon": () => ({ name: "pc-2", reason }),
  "admin.nodes.uncordon": () => ({ name: "pc-2" }),
  "admin.payments.record": ({ organizationId, invoiceId }, { idempotencyKey }) => ({
    organizationId,
    invoiceId,
    amount,
    reference: "1",
    idempotencyKey,
  }),
  "admin.transactions.list": ({ organizationId }) => ({ organizationId }),
  "admin.transactions.get": ({ organizationId, transactionId }) => ({ organizationId, transactionId }),
  "admin.transactions.adjust": ({ organizationId }, { idempotencyKey }) => ({
    organizationId,
    amount,
    reason,
    idempotencyKey,
  }),
  "admin.transactions.refund": ({ organizationId, bookedPaymentId }, { idempotencyKey }) => ({
    organizationId,
    paymentId: bookedPaymentId,
    amount,
    target: "wallet",
    reason,
    idempotencyKey,
  }),
  "admin.inventory.audit": none,
  "admin.inventory.report": page,
  "admin.inventory.list": page,
  "admin.inventory.get": () => ({ findingId: "fnd_00000000000000000000000001" }),
  "admin.revenue.summary": page,
  "admin.revenue.mrr": () => ({ from: new Date("2026-01-01") }),
  "admin.revenue.churn": page,
  "admin.revenue.receivables": page,
  "admin.revenue.margin": page,
  "admin.revenue.upcoming": page,
  "admin.taxes.list": page,
  "admin.taxes.create": () => ({ name: "Matrix", percent: "11", isInclusive: false }),
  "admin.taxes.end": () => ({ taxRateId: "tax_00000000000000000000000001" }),
  "admin.books.findings": page,
  "admin.books.runs": page,
  "admin.books.unpark": ({ organizationId }) => ({ organizationId, reason }),
  "admin.coupons.create": () => ({ code: "MATRIX", discount: { kind: "percent", basisPoints: 1_000 } }),
  "admin.coupons.deactivate": () => ({ couponId: "cpn_00000000000000000000000001" }),
  "admin.coupons.delete": () => ({ couponId: "cpn_00000000000000000000000001" }),
  "admin.coupons.list": page,
  "admin.coupons.get": () => ({ couponId: "cpn_00000000000000000000000001" }),
  "admin.plans.list": page,
  "admin.offerings.list": page,
  "admin.offerings.publish": () => ({ slug: "nobodys", reason }),
  "admin.offerings.hide": () => ({ slug: "nobodys", reason }),
  "admin.audit.list": ({ organizationId }) => ({ organizationId }),
  "admin.audit.verify": ({ organizationId }) => ({ organizationId }),
  "admin.organizations.list": page,
  "admin.organizations.get": ({ organizationId }) => ({ organizationId }),
  "admin.users.list": page,
  "admin.users.get": ({ userId }) => ({ userId }),
  "admin.users.suspend": ({ userId }) => ({ userId, reason }),
  "admin.users.unsuspend": ({ userId }) => ({ userId, reason }),
  "admin.users.previewDeletion": ({ userId }) => ({ userId }),
  "admin.users.delete": ({ userId }) => ({ userId, reason }),
  "admin.users.impersonate": ({ userId, organizationId }) => ({
    userId,
    organizationId,
    reason: "As the matrix wants it.",
    minutes: 5,
  }),
  "admin.users.endImpersonation": ({ userId, organizationId }) => ({ userId, organizationId }),
  "admin.users.resetSecondFactor": ({ userId }) => ({ userId, reason }),
  "admin.orders.list": ({ organizationId }) => ({ organizationId }),
  "admin.orders.get": ({ orderId }) => ({ orderId }),
  "admin.subscriptions.list": ({ organizationId }) => ({ organizationId }),
  "admin.subscriptions.get": subscription,
  "admin.instances.hold": ({ instanceId }, { idempotencyKey }) => ({
    instanceId,
    kind: "operator",
    reason,
    idempotencyKey,
  }),
  "admin.instances.release": ({ instanceId }, { idempotencyKey }) => ({
    instanceId,
    kind: "operator",
    reason,
    idempotencyKey,
  }),
  "admin.instances.restart": ({ instanceId }, { idempotencyKey }) => ({ instanceId, reason, idempotencyKey }),
  "admin.instances.remove": ({ instanceId }, { idempotencyKey }) => ({ instanceId, reason, idempotencyKey }),
  "admin.instances.list": ({ organizationId }) => ({ organizationId }),
  "admin.instances.get": instance,
  "admin.payments.list": ({ organizationId }) => ({ organizationId }),
  "admin.payments.get": ({ bookedPaymentId }) => ({ paymentId: bookedPaymentId }),
  "admin.jobs.list": page,
  "admin.jobs.get": () => ({ jobId: "1" }),
  "admin.jobs.retry": () => ({ jobId: "999999999" }),
  "admin.jobs.cancel": () => ({ jobId: "999999999" }),
};

/** Lists that an id narrows: one of somebody else narrows them to nothing, as one of nobody does. */
export const narrowed: ReadonlySet<string> = new Set([
  "instances.listPlans",
  "operations.list",
  "invoices.list",
  "payments.list",
  "events.list",
]);
