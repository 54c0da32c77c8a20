import { randomUUID } from "node:crypto";
import {
  type CoreContext,
  forceRestart,
  fromPublicId,
  getInstanceEntry,
  getUserId,
  holdInstance,
  liftHold,
  removeByForce,
  resetSecondFactor,
} from "@sewa/core";
import { type Command, Option } from "commander";
import { UsageError } from "../failure.ts";
import { withCore } from "../operator.ts";
import { type JsonOption, leaf, show } from "../output.ts";

interface ReasonOption extends JsonOption {
  readonly reason: string;
}
interface HoldOptions extends ReasonOption {
  readonly kind: "operator" | "abuse";
  readonly message?: string;
}
interface RemoveOptions extends ReasonOption {
  readonly message?: string;
  readonly deleteData?: string;
}

/** What operators do to somebody else's app or account, whatever they say. */
export function addForceCommands(admin: Command): void {
  const kind = (): Option =>
    new Option("--kind <kind>", "whose will it is").choices(["operator", "abuse"]).default("operator");
  reasoned(admin, "hold <instance>", "stop an app until it is released, whatever its customer asks for and pays")
    .addOption(kind())
    .option("--message <text>", "what the customer is told, as it is")
    .action((id: string, { kind: of, message, ...options }: HoldOptions) =>
      force(id, options, "is stopped", (ctx, wish) =>
        holdInstance(ctx, { ...wish, kind: of, message: message ?? null }),
      ),
    );
  reasoned(admin, "release <instance>", "let an app be again as its customer last asked for")
    .addOption(kind())
    .action((id: string, { kind: of, ...options }: HoldOptions) =>
      force(id, options, "is released", (ctx, wish) => liftHold(ctx, { ...wish, kind: of })),
    );
  reasoned(admin, "restart <instance>", "new pods on the same data").action((id: string, options: ReasonOption) =>
    force(id, options, "is restarted", forceRestart),
  );
  reasoned(admin, "remove <instance>", "stop an app, and let it end with what is paid and its grace period")
    .option("--message <text>", "what the customer is told, as it is")
    .option("--delete-data <name>", "the app's name: end it and delete its data now")
    .action((id: string, { message, deleteData, ...options }: RemoveOptions) =>
      force(id, options, deleteData === undefined ? "is stopped and ends" : "is removed", (ctx, wish) =>
        removeByForce(ctx, { ...wish, message: message ?? null, confirmName: deleteData ?? null }),
      ),
    );
  reasoned(
    admin,
    "reset-second-factor <email>",
    "for who has lost the app and the recovery codes: the password does alone",
  ).action(async (email: string, { reason, ...options }: ReasonOption) => {
    const answer = await withCore(async (ctx) =>
      resetSecondFactor(ctx, { userId: await getUserId(ctx, email), reason }),
    );
    show(options, answer, () => `${email} logs in with the password alone, and was logged out everywhere.`);
  });
}

function reasoned(admin: Command, usage: string, description: string): Command {
  return leaf(admin, usage, description).requiredOption("--reason <text>", "why: for the audit");
}

interface Wish {
  readonly instanceId: string;
  readonly reason: string;
  readonly idempotencyKey: string;
}

async function force(
  id: string,
  { reason, ...options }: ReasonOption,
  outcome: string,
  verb: (ctx: CoreContext, wish: Wish) => Promise<unknown>,
): Promise<void> {
  const instanceId = fromPublicId("instance", id);
  if (instanceId === null) throw new UsageError(`"${id}" is no app; write it as ins_….`);
  const entry = await withCore(async (ctx) => {
    const { organizationId } = await getInstanceEntry(ctx, instanceId);
    await verb(ctx.forOrganization(organizationId), { instanceId, reason, idempotencyKey: randomUUID() });
    return getInstanceEntry(ctx, instanceId);
  });
  show(options, entry, () => `${entry.name} ${outcome}.`);
}
