import { inflateSync } from "node:zlib";
import { invoices, invoiceTaxes, organizations, users } from "@sewa/db/schema";
import { databaseErrorOf } from "@sewa/db";
import { connectAsSuperuser } from "@sewa/db/testing";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { updateOrganization } from "../accounts/index.ts";
import { formatInvoiceNumber, getInvoice, giveRefund, listInvoices } from "../billing/index.ts";
import { hourMs, addMs } from "../clock.ts";
import type { CoreContext } from "../context.ts";
import { failOverdueOperations } from "../instances/index.ts";
import { toMajor } from "../money.ts";
import { reconcileSubscription, recordPayment } from "../subscriptions/index.ts";
import { createTaxRate } from "../taxes/index.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import type { InvoiceDocument } from "./document.ts";
import { getInvoiceDocument } from "./index.ts";
import { printInvoice } from "./render/print-invoice.ts";
import { renderHtml } from "./render/render-html.ts";
import { renderPdf } from "./render/render-pdf.ts";
import { toWinAnsi } from "./render/win-ansi.ts";

const seller = { name: "PT Sewa & Co", address: "Jl. Sudirman 1, Jakarta", taxId: "01.234.567.8-901.000" };

async function given(options: { readonly locale?: "en" | "id" } = {}) {
  const core = await testCore({ seller });
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  await createTaxRate(core.ctx, { name: "PPN", percent: "11", isInclusive: false });
  const { ctx, organizationId, userId } = await givenCustomer(core.ctx, options);
  await updateOrganization(ctx, { taxId: "09.876.543.2-109.000", country: "ID" });
  const order = await givenOrder(ctx, { plan: "small" });
  const subscriptionId = order.subscription.subscription.id;
  const invoice = async () => (await listInvoices(ctx, {})).items[0]!.invoice;
  return {
    core,
    ctx,
    organizationId,
    userId,
    subscriptionId,
    invoice,
    async pay() {
      const { id: invoiceId, totalMinor: amountMinor, currency } = await invoice();
      const payment = { invoiceId, amountMinor, currency, reference: "BANK <7>", idempotencyKey: "payment-1" };
      await recordPayment(core.ctx.forOrganization(organizationId), payment);
    },
    async after(ms: number) {
      core.clock.set(addMs(core.clock.now(), ms));
      await reconcileSubscription(core.ctx, subscriptionId);
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
}

async function read(
  ctx: CoreContext,
  invoiceId: string,
): Promise<{ readonly html: string; readonly pdf: readonly string[] }> {
  const [page, file] = await Promise.all([
    getInvoiceDocument(ctx, { invoiceId, format: "html" }),
    getInvoiceDocument(ctx, { invoiceId, format: "pdf" }),
  ]);
  return { html: Buffer.from(page.content).toString("utf8"), pdf: pagesOf(file.content) };
}

/** The text of each page, read out of the file: its streams are unpacked, and what is shown is put together line by line. */
function pagesOf(file: Uint8Array): readonly string[] {
  const raw = Buffer.from(file);
  const text = raw.toString("latin1");
  const pages: string[] = [];
  for (const match of text.matchAll(/\/Length (\d+)[^>]*>>\s*stream\r?\n/g)) {
    const start = match.index + match[0].length;
    const content = inflateSync(raw.subarray(start, start + Number(match[1]))).toString("latin1");
    if (!content.includes("TJ")) continue;
    const shown = [...content.matchAll(/\[([^\]]*)\] TJ/g)].map(([, inside = ""]) =>
      [...inside.matchAll(/<([0-9a-f]*)>/g)]
        .map(([, hex = ""]) => new TextDecoder("windows-1252").decode(Buffer.from(hex, "hex")))
        .join(""),
    );
    pages.push(shown.join("\n"));
  }
  return pages;
}

const grouped = (amountMinor: bigint, separator: string): string =>
  `IDR ${toMajor({ amountMinor, currency: "IDR" }).replaceAll(/\B(?=(\d{3})+$)/g, separator)}`;

test("totals, taxes, payment and both parties stand on the page as they stand in the database", async () => {
  await using house = await given();
  await house.pay();
  const invoice = await house.invoice();
  expect(invoice).toMatchObject({ totalMinor: 55_500n, taxMinor: 5_500n, status: "paid" });
  const { html, pdf } = await read(house.ctx, invoice.id);
  for (const text of [html, pdf.join("\n")]) {
    for (const amount of [50_000n, invoice.taxMinor, invoice.totalMinor]) expect(text).toContain(grouped(amount, ","));
    for (const words of [
      "Invoice INV-2026-000001",
      "PPN 11%",
      "PAID",
      "2 March 2026",
      "Jl. Sudirman 1",
      "09.876.543.2-109.000",
    ]) {
      expect(text).toContain(words);
    }
    expect(text).toContain("30 days · 2 March 2026 – 31 March 2026 · price version 1");
    expect(text).toContain("01.234.567.8-901.000");
  }
  expect(html).toContain("Payment 2 March 2026 (BANK &lt;7&gt;)");
  expect(html).toContain(`-${grouped(invoice.totalMinor, ",")}`);
});

test("who reads Indonesian gets it in Indonesian", async () => {
  await using house = await given({ locale: "id" });
  const { html, pdf } = await read(house.ctx, (await house.invoice()).id);
  for (const text of [html, pdf.join("\n")]) {
    expect(text).toContain("Faktur INV-2026-000001");
    expect(text).toContain("2 Maret 2026");
    expect(text).toContain("IDR 55.500");
    expect(text).toContain("Harus dibayar");
  }
  expect(html).toContain('<html lang="id">');
});

test("a customer who is named like a script is printed, and nothing runs", async () => {
  await using house = await given();
  const hostile = `<script>alert("1")</script>' onload='x`;
  await house.core.database.drizzle
    .update(organizations)
    .set({ name: hostile })
    .where(eq(organizations.id, house.organizationId));
  await house.core.database.drizzle.update(users).set({ name: "<img src=x>" }).where(eq(users.id, house.userId));
  const order = await givenOrder(house.ctx, { plan: "small", name: "Second" });
  expect(order.order.totalMinor).toBe(55_500n);
  const { html } = await read(house.ctx, (await house.invoice()).id);
  expect(html).not.toMatch(/<script|<img|' onload/);
  expect(html).toContain("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=&#39;x");
  expect(html).toContain("default-src 'none'");
});

test("B96 the same invoice gives the same bytes, and what was opened is printed as it was then", async () => {
  await using house = await given();
  const { id: invoiceId } = await house.invoice();
  const file = () => getInvoiceDocument(house.ctx, { invoiceId, format: "pdf" });
  const first = await file();
  expect(first).toMatchObject({ fileName: "INV-2026-000001.pdf", contentType: "application/pdf" });
  expect(Buffer.from(first.content).subarray(0, 5).toString()).toBe("%PDF-");
  // Made when it was opened, and not when somebody asked.
  const dates = Buffer.from(first.content)
    .toString("latin1")
    .match(/\(D:\d+Z\)/g);
  expect(dates).toEqual(["(D:20260302030000Z)", "(D:20260302030000Z)"]);
  await updateOrganization(house.ctx, { taxId: "00.000", country: null });
  await house.core.database.drizzle.update(organizations).set({ name: "Renamed" });
  expect(Buffer.compare(Buffer.from((await file()).content), Buffer.from(first.content))).toBe(0);
});

test("an invoice that was taken back says so, and one that was paid back shows both", async () => {
  await using house = await given();
  await house.after(25 * hourMs);
  const voided = await read(house.ctx, (await house.invoice()).id);
  expect(voided.html).toContain('<div class="stamp void">VOID</div>');
  expect(voided.pdf[0]).toContain("VOID");
  expect(voided.html).not.toContain("To pay");

  await using other = await given();
  await other.pay();
  await other.core.database.drizzle.execute("update operations set deadline_at = '2026-01-01'");
  await failOverdueOperations(other.core.ctx);
  await reconcileSubscription(other.core.ctx, other.subscriptionId);
  const returned = await read(other.ctx, (await other.invoice()).id);
  for (const text of [returned.html, returned.pdf.join("\n")])
    expect(text).toContain("Refund 2 March 2026 (INV-CN-2026-000001)");
});

test("a credit note says what it takes back of which invoice, with its tax, and where the money went", async () => {
  await using house = await given({ locale: "id" });
  await house.pay();
  const { id: invoiceId } = await house.invoice();
  const paid = await getInvoice(house.ctx, invoiceId);
  const refund = {
    paymentId: paid.payments[0]!.id,
    currency: "IDR",
    reason: "Down for <a day>",
    target: "wallet",
  } as const;
  const bound = house.core.ctx.forOrganization(house.organizationId);
  await giveRefund(bound, { ...refund, amountMinor: 10_000n, idempotencyKey: "refund-1" });
  const { creditNotes } = await getInvoice(house.ctx, invoiceId);
  const creditNoteNumber = formatInvoiceNumber(creditNotes[0]!)!;
  // The customer moves, and the seller too: on paper they are where they were.
  await updateOrganization(house.ctx, { taxId: "00.000", country: "SG" });
  const [page, file] = await Promise.all(
    (["html", "pdf"] as const).map((format) => getInvoiceDocument(house.ctx, { invoiceId, format, creditNoteNumber })),
  );
  expect([page!.fileName, file!.fileName]).toEqual(["INV-CN-2026-000001.html", "INV-CN-2026-000001.pdf"]);
  const html = Buffer.from(page!.content).toString("utf8");
  for (const text of [html, pagesOf(file!.content).join("\n")]) {
    for (const words of [
      "Nota kredit INV-CN-2026-000001",
      "INV-2026-000001, 2 Maret 2026",
      "PT Sewa",
      "Negara: ID",
      "NPWP: 09.876.543.2-109.000",
      "PPN 11%",
      "IDR 9.009",
      "IDR 991",
      "IDR 10.000",
      "Dimasukkan ke dompet",
    ]) {
      expect(text).toContain(words);
    }
  }
  expect(html).toContain("Down for &lt;a day&gt;");
  expect((await read(house.ctx, invoiceId)).html).toContain("Pengembalian dana 2 Maret 2026 (INV-CN-2026-000001)");
  const stranger = await givenCustomer(house.core.ctx);
  for (const [ctx, number] of [
    [house.ctx, "INV-CN-2026-000002"],
    [stranger.ctx, creditNoteNumber],
  ] as const) {
    const asked = getInvoiceDocument(ctx, { invoiceId, format: "pdf", creditNoteNumber: number });
    await expect(asked).rejects.toMatchObject({ code: "NOT_FOUND" });
  }
});

test("another organization's invoice is not found, and nobody but its owner may ask", async () => {
  await using house = await given();
  const { id: invoiceId } = await house.invoice();
  const stranger = await givenCustomer(house.core.ctx);
  for (const id of [invoiceId, house.core.ctx.ids.next()]) {
    await expect(getInvoiceDocument(stranger.ctx, { invoiceId: id, format: "pdf" })).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "No such invoice.",
    });
  }
  const nobody = house.ctx.as({ type: "anonymous" });
  await expect(getInvoiceDocument(nobody, { invoiceId, format: "html" })).rejects.toMatchObject({ code: "FORBIDDEN" });
});

test("B94 seller and tax of an open invoice cannot be edited, whoever writes", async () => {
  await using house = await given();
  await using owner = connectAsSuperuser(house.core.url);
  const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
    work.then(
      () => "done",
      (error: unknown) => databaseErrorOf(error)?.code,
    );
  expect(await codeOf(owner.drizzle.update(invoices).set({ taxMinor: 1n }))).toBe("23000");
  expect(await codeOf(owner.drizzle.update(invoices).set({ seller: null }))).toBe("23000");
  expect(await codeOf(house.core.database.drizzle.update(invoiceTaxes).set({ amountMinor: 0n }))).toBe("42501");
});

const period = { start: new Date("2026-03-01T17:00:00Z"), end: new Date("2026-03-31T17:00:00Z") };

function invoiceOf(lines: number): InvoiceDocument {
  return {
    number: "INV-2026-000007",
    status: "uncollectible",
    timeZone: "Asia/Jakarta",
    currency: "USD",
    openedAt: period.start,
    dueAt: period.end,
    paidAt: null,
    closedAt: null,
    seller: null,
    customer: { organization: "Café 東京 – Łódź", name: "Zoë", email: "zoe@customer.test", taxId: null, country: null },
    lines: Array.from({ length: lines }, (_, index) => ({
      description: `App ${index + 1}, with a name that is long enough to need a second line on the paper`,
      quantity: 2n,
      unit: "P1M",
      period,
      priceVersion: 3,
      unitAmountMinor: 1_234_567n,
      amountMinor: 2_469_134n,
    })),
    taxes: [{ name: "PPN", basisPoints: 1_150, isInclusive: true, amountMinor: 1n }],
    netMinor: 2_469_134n * BigInt(lines) - 1n,
    totalMinor: 2_469_134n * BigInt(lines),
    payments: [],
    creditNotes: [],
    dueMinor: 0n,
  };
}

test("the last day of a period is the one before its end, also where a day of 23 hours lies between", () => {
  const short = { start: new Date("2026-02-27T23:30:00Z"), end: new Date("2026-03-29T22:30:00Z") };
  const [line] = invoiceOf(1).lines;
  const invoice = { ...invoiceOf(1), timeZone: "Europe/Berlin", lines: [{ ...line!, period: short }] };
  expect(printInvoice(invoice, "en").lines[0]!.details).toContain("28 February 2026 – 29 March 2026");
});

test("sixty lines go over several pages, each whole, once and under heads of its own", async () => {
  const pages = pagesOf(await renderPdf(printInvoice(invoiceOf(60), "en")));
  expect(pages.length).toBeGreaterThan(2);
  const whole = pages.join("\n");
  for (let index = 1; index <= 60; index += 1) {
    expect(whole.match(new RegExp(`App ${index}, with`, "g"))).toHaveLength(1);
  }
  for (const [index, text] of pages.entries()) {
    expect(text).toContain(`Page ${index + 1} / ${pages.length}`);
    expect(text.includes("Unit price")).toBe(text.includes("with a name"));
    expect(text.match(/with a name/g)?.length ?? 0).toBe(text.match(/price version 3/g)?.length ?? 0);
  }
  expect(pages.at(-1)).toContain("USD 1,481,480.40");
  expect(pages[0]).toContain("WRITTEN OFF");
  expect(renderHtml(printInvoice(invoiceOf(60), "id"))).toContain("PPN 11,5% (termasuk)");
});

test("letters that the fonts do not have are seen to be missing", () => {
  expect(toWinAnsi("Café 東京 – Łódź €5 e\u0301")).toBe("Café ?? – ?ód? €5 é");
});
