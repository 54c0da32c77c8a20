import { expect, test } from "vitest";
import { organizationProcedure, operatorProcedure } from "./trpc.ts";

test("a procedure of an organization or of the operators cannot be written without a permission of its own kind", () => {
  // Each line below compiles only because the compiler refuses it.
  const mistakes = [
    // @ts-expect-error
    () => organizationProcedure(),
    // @ts-expect-error
    () => organizationProcedure(null),
    // @ts-expect-error
    () => organizationProcedure("no.such"),
    // @ts-expect-error
    () => organizationProcedure("admin.nodes.write"),
    // @ts-expect-error
    () => organizationProcedure("catalog.read"),
    // @ts-expect-error
    () => operatorProcedure("order.place"),
  ];
  expect(mistakes).toHaveLength(6);
  expect(organizationProcedure("order.place")._def.meta).toEqual({ access: "organization", permission: "order.place" });
});
