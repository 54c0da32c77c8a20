import { z } from "zod";
import { inputDate, type Schema } from "../schema.ts";
import type { AdvanceClockInput, ClockDto } from "./dto.ts";

export const advanceClockInput: Schema<AdvanceClockInput> = z.strictObject({ to: inputDate });
export const clockSchema: Schema<ClockDto> = z.strictObject({
  kind: z.enum(["real", "test"]),
  now: z.date(),
  target: z.date(),
});
