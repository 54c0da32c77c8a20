import { setTimeout as pause } from "node:timers/promises";
import { advanceClock, type CoreContext, findTestClock, type TestClock } from "@sewa/core";
import type { Command } from "commander";
import { addDuration } from "../duration.ts";
import { Refusal, UsageError } from "../failure.ts";
import { organizationIdOf, withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, say, sheet, show } from "../output.ts";

const lookMs = 500;
/** A clock waits for operations, and those have deadlines; standing still for longer means that no worker runs. */
const stillMs = 20 * 60_000;

interface AdvanceOptions extends JsonOption {
  readonly to?: string;
  readonly wait: boolean;
}

/** Time of organizations that live on a test clock, for development and demonstrations. */
export function addClockCommands(program: Command): void {
  const group = program.command("clock").description("test clocks of organizations");
  leaf(group, "show <organization>", "where the clock stands").action(
    async (organization: string, options: JsonOption) => {
      const id = organizationIdOf(organization);
      const clock = await withCore((ctx) => getClock(ctx.forOrganization(id)));
      show(options, clock, () => describe(clock));
    },
  );
  leaf(group, "advance <organization> [duration...]", "move it, such as 31 days; a worker takes it there")
    .option("--to <time>", "to this moment (ISO 8601) instead")
    .option("--no-wait", "do not wait until it has arrived")
    .action(advance);
}

async function advance(organization: string, duration: readonly string[], options: AdvanceOptions): Promise<void> {
  const id = organizationIdOf(organization);
  if ((duration.length === 0) === (options.to === undefined)) {
    throw new UsageError("Say how far: either a duration such as 31 days, or --to a moment.");
  }
  const clock = await withCore(async (ctx) => {
    const bound = ctx.forOrganization(id);
    const { target } = await getClock(bound);
    const to = options.to === undefined ? addDuration(target, duration.join(" ")) : parseTime(options.to);
    const moving = await advanceClock(bound, { to });
    return options.wait ? arrive(bound, moving.target) : moving;
  });
  show(options, clock, () => describe(clock));
}

async function getClock(ctx: CoreContext): Promise<TestClock> {
  const clock = await findTestClock(ctx);
  if (clock === null) throw new Refusal("This organization does not live on a test clock.");
  return clock;
}

async function arrive(ctx: CoreContext, target: Date): Promise<TestClock> {
  let seen = 0;
  let movedAt = performance.now();
  for (;;) {
    const clock = await getClock(ctx);
    if (clock.now >= target) return clock;
    if (clock.now.getTime() !== seen) {
      seen = clock.now.getTime();
      movedAt = performance.now();
      say(`it is ${formatTime(clock.now)}, on the way to ${formatTime(target)}`);
    }
    if (performance.now() - movedAt > stillMs) throw new Refusal("The clock stands still. Does a worker run?");
    await pause(lookMs);
  }
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new UsageError(`"${text}" is no moment like 2026-12-31T09:00:00Z.`);
  return time;
}

function describe({ now, target }: TestClock): string {
  return sheet({ now: formatTime(now), ...(target > now ? { "on the way to": formatTime(target) } : {}) });
}
