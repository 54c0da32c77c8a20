import { advanceClock, findTestClock } from "@sewa/core";
import { coreContext } from "../core-context.ts";
import { nothing } from "../schema.ts";
import { organizationProcedure } from "../trpc.ts";
import type { ClockDto } from "./dto.ts";
import { advanceClockInput, clockSchema } from "./schema.ts";

export const clockRouter = {
  get: organizationProcedure("account.read")
    .input(nothing)
    .output(clockSchema)
    .query(async ({ ctx }): Promise<ClockDto> => {
      const core = coreContext(ctx);
      const test = await findTestClock(core);
      if (test !== null) return { kind: "test", now: test.now, target: test.target };
      const now = core.clock.now();
      return { kind: "real", now, target: now };
    }),

  // Without a key: it says where to, so saying it twice changes nothing.
  advance: organizationProcedure("clock.advance")
    .input(advanceClockInput)
    .output(clockSchema)
    .mutation(async ({ ctx, input }): Promise<ClockDto> => {
      const { now, target } = await advanceClock(coreContext(ctx), { to: input.to });
      return { kind: "test", now, target };
    }),
};
