import { expect, test } from "vitest";
import { parkOrganization, unparkOrganization } from "../accounts/index.ts";
import { addMs, hourMs } from "../clock.ts";
import { reconcileChange, sweepChanges } from "./index.ts";
import { givenApp } from "./test-changes.ts";

test("while its organization is parked a change is neither approved, begun, ended nor settled, and goes on afterwards", async () => {
  await using app = await givenApp();
  const house = app.core.ctx.forOrganization(app.ctx.organizationId ?? "");
  const park = () => house.transaction((tx) => parkOrganization(tx, "M10"));
  const unpark = () => house.transaction((tx) => unparkOrganization(tx, "Looked at."));
  await app.provision();
  const plan = await app.resize("roomy");

  await park();
  await expect(app.approve(plan)).rejects.toMatchObject({ code: "ACCOUNT_PARKED" });
  await unpark();
  await app.approve(plan);

  await park();
  await expect(app.look(plan.change.id)).rejects.toThrow("There is nothing to look at.");
  app.core.clock.set(addMs(app.core.clock.now(), hourMs));
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await sweepChanges(app.core.ctx)).toEqual({ readded: 0, due: 0 });
  expect(await app.changes()).toEqual(["resize approved"]);
  await unpark();
  await app.look(plan.change.id);

  await park();
  await app.provision();
  await reconcileChange(app.core.ctx, app.instanceId);
  await app.core.database.drizzle.execute("delete from graphile_worker._private_jobs");
  expect(await sweepChanges(app.core.ctx)).toEqual({ readded: 0, due: 0 });
  expect(await app.changes()).toEqual(["resize executing"]);
  await unpark();
  expect(await sweepChanges(app.core.ctx)).toEqual({ readded: 0, due: 1 });
  await reconcileChange(app.core.ctx, app.instanceId);
  expect(await app.changes()).toEqual(["resize executed"]);
});
