import {
  type Actor,
  authorize,
  DomainError,
  type MemberPermission,
  notForTokens,
  noteRefusedImpersonation,
  notWhileImpersonating,
  type OperatorPermission,
  type Permission,
  requireConfirmation,
  userActor,
} from "@sewa/core";
import { initTRPC, TRPCError } from "@trpc/server";
import type { ProcedureMeta } from "./access.ts";
import type { AppErrorShape } from "./app-errors.ts";
import type { Caller, Context, OpaqueCore } from "./context.ts";
import { bindCore, coreContext } from "./core-context.ts";
import { describeError, toErrorShape, toTrpcError } from "./error-shape.ts";
import { transformer } from "./transformer.ts";

const pingMs = 15_000;

const t = initTRPC
  .context<Context>()
  .meta<ProcedureMeta>()
  .create({
    transformer,
    isDev: false,
    defaultMeta: { access: "public", permission: null },
    sse: { ping: { enabled: true, intervalMs: pingMs }, client: { reconnectAfterInactivityMs: 3 * pingMs } },
    errorFormatter: ({ error, path, ctx }): AppErrorShape =>
      toErrorShape(describeError(error), { path: path ?? null, requestId: ctx?.requestId ?? null }),
  });

export const router = t.router;

/** Errors of core get their code here once; errors inside a stream get it from the formatter. */
const domainErrors = t.middleware(async ({ next }) => {
  const result = await next();
  if (!result.ok) throw toTrpcError(result.error);
  return result;
});

const observed = t.middleware(async ({ ctx, path, type, next }) => {
  const startedAt = performance.now();
  const result = await next();
  const code = result.ok ? "OK" : describeError(result.error).code;
  ctx.finished({ path, type, code, durationMs: performance.now() - startedAt });
  return result;
});

const base = t.procedure
  .use(observed)
  .use(domainErrors)
  .use(async ({ ctx, next }) => {
    await ctx.admit(null);
    return next();
  });

/** Anybody may call it; core sees nobody. */
export const publicProcedure = base.meta({ access: "public", permission: null });

const callerProcedure = base.use(async ({ ctx, path, meta, next }) => {
  const caller = await requireCaller(ctx, meta);
  await ctx.admit(caller);
  const bound = bindCaller(ctx, caller, memberActor(caller), caller.organizationId);
  const result = await next({ ctx: bound });
  if (!result.ok && isRefusedImpersonation(result.error))
    await noteRefusedImpersonation(coreContext(bound), { procedure: path });
  return result;
});

/** Whoever is logged in, for themselves; bound to the organization that they speak for. For no API token. */
export const userProcedure = callerProcedure.meta({ access: "user", permission: null }).use(async ({ ctx, next }) => {
  refuseOthers(ctx.identity);
  return next();
});

/** A member of the organization whose role has the permission, or a token of theirs with its scope. */
export function organizationProcedure(permission: MemberPermission): typeof userProcedure {
  return callerProcedure.meta({ access: "organization", permission }).use(async ({ ctx, next }) => {
    authorize(coreContext(ctx).actor, permission);
    return next({ ctx: { confirm: () => confirmCaller(ctx, permission) } });
  });
}

/** Who runs the house, bound to no organization. */
export function operatorProcedure(permission: OperatorPermission): typeof userProcedure {
  return base.meta({ access: "operator", permission }).use(async ({ ctx, path, meta, next }) => {
    const caller = await requireCaller(ctx, meta);
    await ctx.admit(caller);
    if (caller.impersonation !== null) {
      const { core } = bindCaller(ctx, caller, memberActor(caller), caller.organizationId);
      await noteRefusedImpersonation(coreContext({ core }), { procedure: path });
    }
    refuseOthers(caller);
    if (!caller.isOperator) throw new DomainError("FORBIDDEN", "You may not do this.");
    const actor: Actor = { type: "operator", userId: caller.userId };
    authorize(actor, permission);
    return next({ ctx: bindCaller(ctx, caller, actor, null) });
  });
}

/**
 * The same procedure for what cannot be undone: who calls has to have proved lately to be themselves. `isDestroying` looks at the
 * raw input where not all calls of it are of that kind.
 */
export function confirmed(
  procedure: typeof userProcedure,
  isDestroying: ((input: unknown) => boolean) | null = null,
): typeof userProcedure {
  return procedure
    .meta({ ...metaOf(procedure), confirmation: isDestroying === null ? "always" : "destroying" })
    .use(async ({ ctx, getRawInput, next }) => {
      // A program has nothing to prove itself with again: the scope of its token was given for this.
      if (ctx.identity.token !== null) return next();
      if (isDestroying === null || isDestroying(await getRawInput())) {
        await requireConfirmation(coreContext(ctx), ctx.identity);
      }
      return next();
    });
}

/** The same procedure for operators whose password has ended too: the little that it takes to choose a new one. */
export function despiteExpiredPassword(procedure: typeof userProcedure): typeof userProcedure {
  return procedure.meta({ ...metaOf(procedure), isForExpiredPasswords: true });
}

function metaOf({ _def: { meta } }: typeof userProcedure): ProcedureMeta {
  if (meta === undefined) throw new Error("Broken invariant: every procedure declares who may call it.");
  return meta;
}

/** Throws UNAUTHORIZED, and PASSWORD_EXPIRED: the one place where that is decided. */
async function requireCaller(ctx: Context, meta?: ProcedureMeta): Promise<Caller> {
  const caller = await ctx.caller();
  if (caller === null) throw new TRPCError({ code: "UNAUTHORIZED" });
  if (caller.hasExpiredPassword && meta?.isForExpiredPasswords !== true)
    throw new DomainError("PASSWORD_EXPIRED", "Your password has ended. Choose a new one first.");
  return caller;
}

/** What `userProcedure` adds: the caller, and core bound to them. */
interface CallerContext {
  readonly core: OpaqueCore;
  readonly identity: Caller;
  /** Streams ask before each read: throws when the caller may no longer do what this call does. */
  confirm(): Promise<void>;
}

function memberActor({ userId, role, token, impersonation }: Caller): Actor {
  return userActor(userId, role, token, impersonation);
}

/** What takes somebody who has logged in as themselves. Throws TOKEN_SCOPE, NOT_WHILE_IMPERSONATING. */
function refuseOthers({ token, impersonation }: Caller): void {
  if (token !== null) throw notForTokens();
  if (impersonation !== null) throw notWhileImpersonating();
}

function isRefusedImpersonation({ cause }: Error): boolean {
  return cause instanceof DomainError && cause.code === "NOT_WHILE_IMPERSONATING";
}

/** The caller is asked for again: sessions end, members are removed, and roles fall while a stream is open. */
async function confirmCaller(ctx: Context, permission: Permission | null): Promise<void> {
  const caller = await requireCaller(ctx);
  if (permission !== null) authorize(memberActor(caller), permission);
}

function bindCaller(ctx: Context, caller: Caller, actor: Actor, organizationId: string | null): CallerContext {
  const core = coreContext(ctx).as(actor);
  return {
    ...bindCore(ctx, organizationId === null ? core : core.forOrganization(organizationId)),
    identity: caller,
    confirm: () => confirmCaller(ctx, null),
  };
}
