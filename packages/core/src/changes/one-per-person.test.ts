import { expect, test } from "vitest";
import { applyPlans, givenApp, pay, type TestPlan, usualPlans } from "./test-changes.ts";
import { givenMachines } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { previewPlanChange } from "./index.ts";

const plans: readonly TestPlan[] = usualPlans.map((plan) =>
  plan.slug === "free" || plan.slug === "roomy" ? { ...plan, onePerPerson: true } : plan,
);

test("no app comes to a plan that is one per person but the one that was ordered on it", async () => {
  await using core = await testCore();
  await givenMachines(core.ctx);
  await applyPlans(core.ctx, { plans });
  const paid = await givenApp("small", core);
  const free = await givenApp("free", core);
  await pay(paid);
  for (const app of [paid, free]) await app.provision();
  const preview = async (app: typeof free, slug: string) => {
    const { id: planId } = await app.plan(slug);
    return previewPlanChange(app.ctx, { subscriptionId: app.subscriptionId, planId, moment: "now" }).then(
      () => "none",
      (error: { readonly code: string }) => error.code,
    );
  };
  expect(await preview(free, "roomy")).toBe("none");
  expect(await preview(free, "small")).toBe("none");
  expect(await preview(paid, "free")).toBe("PLAN_UNAVAILABLE");
});
