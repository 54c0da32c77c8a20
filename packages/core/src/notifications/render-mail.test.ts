import { expect, test } from "vitest";
import { type Locale, locales, notificationKinds, parseNotification, type Notification } from "./notification.ts";
import { portalPathOf } from "./portal-paths.ts";
import { renderMail } from "./render-mail.ts";

const id = "019aa3f0-0000-7000-8000-000000000001";
const app = { appName: "Blog" };
const subscription = { ...app, subscriptionId: id };
const moment = "2026-04-01T17:30:00.000Z";

const samples: { readonly [K in Notification["kind"]]: Extract<Notification, { kind: K }>["data"] } = {
  verify_email: {},
  reset_password: {},
  register_attempt: {},
  sign_in_added: { providerLabel: "GitHub" },
  sign_in_removed: { providerLabel: "GitHub" },
  password_changed: {},
  second_factor_changed: { isOn: true },
  invitation: {
    invitationId: id,
    organizationName: "Budi's shop",
    inviterName: "Budi",
    inviterEmail: "budi@example.com",
    expiresAt: moment,
  },
  app_ready: { ...app, instanceId: id, address: "https://blog-x1y2z3.apps.test" },
  app_expiring: { ...subscription, expiresAt: moment },
  app_expired: { ...subscription, deletesAt: moment },
  app_deletion_soon: { ...subscription, deletesAt: moment },
  app_held: { ...app, instanceId: id, message: "Write to us." },
  impersonation_began: { organizationName: "Budi's shop", reason: "You asked us to look.", until: moment },
  impersonation_ended: { organizationName: "Budi's shop", reason: "You asked us to look." },
  second_factor_reset: {},
  app_deleted: app,
  app_failed: { ...app, isRefunded: true },
  password_expiring: { expiresAt: moment },
  trial_ending: { ...subscription, amountMinor: "1250000", currency: "IDR", endsAt: moment },
  payment_due: { ...subscription, amountMinor: "1250000", currency: "IDR", dueAt: moment },
  usage_due: { ...subscription, amountMinor: "1250000", currency: "IDR", dueAt: moment },
  usage_alert: { ...subscription, amountMinor: "1250000", currency: "IDR", endsAt: moment },
  usage_capped: { ...subscription, amountMinor: "1250000", currency: "IDR", endsAt: moment },
  change_payment_due: { ...subscription, amountMinor: "1250000", currency: "IDR", dueAt: moment },
  change_not_made: { ...app, instanceId: id, isRefunded: true },
  payment_failed: { ...subscription, amountMinor: "1250000", currency: "IDR", nextAttemptAt: moment },
  top_up_failed: { amountMinor: "1250000", currency: "IDR", isOff: false },
  payment_in_wallet: { amountMinor: "1250000", currency: "IDR" },
};

const setting = { locale: "en", timeZone: "Asia/Jakarta", link: "http://portal.test/x?token=abc" } as const;

/** What a reader has to find. Half past five in the afternoon in UTC is the next day already in Jakarta. */
function factsOf({ data }: Notification, locale: Locale): readonly string[] {
  const facts: string[] = [setting.link];
  if ("appName" in data) facts.push(data.appName);
  if ("address" in data) facts.push(data.address);
  if (JSON.stringify(data).includes(moment)) {
    facts.push(locale === "id" ? "2 April 2026 pukul 00.30 WIB" : "2 April 2026 at 00:30 GMT+7");
  }
  return facts;
}

test.each(notificationKinds.flatMap((kind) => locales.map((locale) => [kind, locale] as const)))(
  "%s in %s tells its facts and where to go, in text and in HTML",
  (kind, locale) => {
    const notification = parseNotification(kind, samples[kind]);
    const mail = renderMail(notification, { ...setting, locale });
    expect(mail.subject).not.toBe("");
    expect(mail.html).toContain(`<html lang="${locale}">`);
    for (const body of [mail.text, mail.html]) {
      expect(body).not.toMatch(/undefined|\[object|NaN|Invalid/);
      for (const fact of factsOf(notification, locale)) expect(body).toContain(fact);
    }
    const other = renderMail(notification, { ...setting, locale: locale === "id" ? "en" : "id" });
    expect(other.subject).not.toBe(mail.subject);
  },
);

test("money is written as people of that language write it, exactly", () => {
  const due = (amountMinor: string, currency: string) =>
    parseNotification("payment_due", { ...samples.payment_due, amountMinor, currency });
  expect(renderMail(due("1250000", "IDR"), { ...setting, locale: "id" }).text).toMatch(/Rp\s1\.250\.000 untuk Blog/);
  expect(renderMail(due("123456789012345678", "USD"), setting).text).toContain("US$1,234,567,890,123,456.78 for Blog");
});

test("B101 what a customer typed stays text in HTML and one line in the subject", () => {
  const appName = `<b onclick="x">'&'</b>\r\nBcc: eve@example.com`;
  const mail = renderMail(parseNotification("app_deleted", { appName }), setting);
  expect(mail.html).not.toContain("<b ");
  expect(mail.html).toContain("&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/b&gt;");
  expect(mail.subject).toBe(`<b onclick="x">'&'</b> Bcc: eve@example.com was deleted`);
  const long = renderMail(parseNotification("app_deleted", { appName: "\u{1F40E}".repeat(500) }), setting);
  expect(Array.from(long.subject)).toHaveLength(150);
});

test("a fact that no mail has, such as a password, is refused", () => {
  expect(() => parseNotification("app_ready", { ...samples.app_ready, password: "secret" })).toThrow(/password/);
  expect(() => parseNotification("app_ready", app)).toThrow("instanceId");
  expect(() => parseNotification("welcome", {})).toThrow("welcome");
});

test("every mail leads to a page of the portal or gets a minted link", () => {
  const paths = Object.fromEntries(
    notificationKinds.map((kind) => [kind, portalPathOf(parseNotification(kind, samples[kind]))]),
  );
  expect(paths).toMatchObject({
    verify_email: null,
    reset_password: null,
    register_attempt: "/forgot-password",
    app_deleted: "/catalog",
  });
  expect(paths["app_ready"]).toMatch(/^\/instances\/ins_[0-9a-z]{26}$/);
  expect(paths["payment_due"]).toMatch(/^\/subscriptions\/sub_[0-9a-z]{26}$/);
});
