import { readdirSync, readFileSync } from "node:fs";
import { operatorAuditEntries } from "@sewa/db/schema";
import { expect, test } from "vitest";
import { findOfferings } from "../directory/index.ts";
import { quoteOrder } from "../orders/index.ts";
import { renewSubscription } from "../subscriptions/index.ts";
import { givenCatalog, givenCustomer, givenMachines, givenOrder } from "../testing/given.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import { applyCatalog, getOffering, hideOffering, listOfferings, publishOffering } from "./index.ts";

const folder = new URL("../../../blueprint/catalog/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const names = readdirSync(folder).filter((name) => name.endsWith(".yaml") && name !== "catalog.yaml");
const files = {
  catalog: read("catalog.yaml"),
  blueprints: Object.fromEntries(names.map((name) => [name, read(name)])),
};
const small = { offeringSlug: "uptime-kuma", planSlug: "small", reason: "The machines are full." };
const whole = { ...small, planSlug: null };

const entryOf = async (core: TestCore, slug = "uptime-kuma") =>
  (await findOfferings(core.ctx, {})).items.find((offering) => offering.slug === slug)!;
const slugs = async (core: TestCore): Promise<readonly string[]> =>
  (await listOfferings(core.ctx, {})).items.map(({ slug }) => slug);

test("B72 a hidden plan cannot be ordered, who has it renews it, and applying the same files does not put it back", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  const { plans } = await getOffering(ctx, "uptime-kuma");
  const planId = plans.find(({ slug }) => slug === "free")!.id;
  const { subscription } = await givenOrder(ctx, { plan: "free" });
  await hideOffering(core.ctx, { ...small, planSlug: "free" });
  expect((await getOffering(ctx, "uptime-kuma")).plans.map(({ slug }) => slug)).toEqual(["small"]);
  await expect(quoteOrder(ctx, { planId, parameters: {} })).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
  expect(await applyCatalog(core.ctx, files)).toEqual([]);
  await expect(quoteOrder(ctx, { planId, parameters: {} })).rejects.toMatchObject({ code: "PLAN_UNAVAILABLE" });
  const renewed = await renewSubscription(ctx, {
    subscriptionId: subscription.subscription.id,
    idempotencyKey: "renew-hidden",
  });
  expect(renewed.nextInvoice).toMatchObject({ status: "paid" });
  expect((await entryOf(core)).plans).toMatchObject([
    { slug: "free", state: "hidden", liveSubscriptions: 1, version: 1 },
    { slug: "small", state: "published", liveSubscriptions: 0 },
  ]);
  await publishOffering(core.ctx, { ...small, planSlug: "free" });
  expect(await quoteOrder(ctx, { planId, parameters: {} })).toMatchObject({ plan: { slug: "free" } });
});

test("an offering is hidden with all its plans and put back, each once in the audit of the house", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  const before = await slugs(core);
  await hideOffering(core.ctx, whole);
  await hideOffering(core.ctx, whole);
  expect(await slugs(core)).toEqual(before.filter((slug) => slug !== "uptime-kuma"));
  expect(await entryOf(core)).toMatchObject({ state: "hidden", plans: [{ state: "published" }, {}] });
  await publishOffering(core.ctx, whole);
  await publishOffering(core.ctx, whole);
  expect(await slugs(core)).toEqual(before);
  const audit = (await core.database.drizzle.select().from(operatorAuditEntries)).filter(({ action }) =>
    action.startsWith("offering."),
  );
  expect(audit).toMatchObject([
    { action: "offering.hidden", subjectId: "uptime-kuma", reason: whole.reason, before: { hiddenAt: null } },
    { action: "offering.published", subjectId: "uptime-kuma", after: { hiddenAt: null } },
  ]);
});

test("what the files no longer hold, what has no price and what lacks an agreement is not published, and the list says why", async () => {
  await using core = await testCore();
  const needy = read("uptime-kuma.yaml").replace("commercialHosting: allowed", "commercialHosting: needs-agreement");
  const agreed = files.catalog.replace("slug: uptime-kuma", "slug: uptime-kuma\n    agreement: contract 2026-117");
  const blueprints = { ...files.blueprints, "uptime-kuma.yaml": needy };
  await applyCatalog(core.ctx, { catalog: agreed, blueprints });
  expect(await entryOf(core)).toMatchObject({ agreement: "contract 2026-117", plans: [{ obstacles: [] }, {}] });
  await core.database.drizzle.execute("update offerings set agreement = null where slug = 'uptime-kuma'");
  await hideOffering(core.ctx, whole);
  await expect(publishOffering(core.ctx, whole)).rejects.toMatchObject({
    code: "BLUEPRINT_INVALID",
    issues: [{ message: expect.stringContaining("AGREEMENT_REQUIRED") as string }],
  });
  expect((await entryOf(core)).plans[0]!.obstacles).toMatchObject([
    expect.stringContaining("AGREEMENT_REQUIRED") as string,
  ]);
  expect(await applyCatalog(core.ctx, { catalog: agreed, blueprints })).toMatchObject([{ subject: "uptime-kuma" }]);
  await publishOffering(core.ctx, whole);
  await core.database.drizzle.execute(
    "update prices set superseded_at = now() where plan_id in (select id from plans where slug = 'small')",
  );
  await expect(publishOffering(core.ctx, small)).rejects.toMatchObject({ code: "NO_PRICE" });
  expect((await entryOf(core)).plans).toMatchObject([{}, { slug: "small", state: "draft", price: null }]);
  await core.database.drizzle.execute("update plans set status = 'hidden' where slug = 'free'");
  await expect(publishOffering(core.ctx, { ...small, planSlug: "free" })).rejects.toMatchObject({
    code: "PLAN_UNAVAILABLE",
  });
  for (const wrong of [
    { ...small, planSlug: "none" },
    { ...whole, offeringSlug: "none" },
  ])
    await expect(hideOffering(core.ctx, wrong)).rejects.toMatchObject({ code: "NOT_FOUND" });
});

test("nobody but an operator hides or publishes, or sees what is hidden", async () => {
  await using core = await testCore();
  await givenCatalog(core.ctx);
  const { ctx } = await givenCustomer(core.ctx);
  for (const call of [() => hideOffering(ctx, whole), () => publishOffering(ctx, whole), () => findOfferings(ctx, {})])
    await expect(call()).rejects.toMatchObject({ code: "FORBIDDEN" });
  expect(await slugs(core)).toContain("uptime-kuma");
});
