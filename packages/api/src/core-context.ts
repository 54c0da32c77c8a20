import type { CoreContext } from "@sewa/core";
import type { Context, OpaqueCore } from "./context.ts";

/** What the server brings: the ports of `Context`, and core's context of nobody in particular. */
export interface ApiContextPorts extends Omit<Context, "core"> {
  readonly core: CoreContext;
}

export function createApiContext(ports: ApiContextPorts): Context {
  return { ...ports, core: close(ports.core) };
}

/** Core's context behind a context of the api. Guaranteed to be one: `OpaqueCore` is made by `close` only. */
export function coreContext(ctx: Pick<Context, "core">): CoreContext {
  return ctx.core as unknown as CoreContext;
}

/** The same context with core bound to somebody else. */
export function bindCore(ctx: Context, core: CoreContext): { readonly core: OpaqueCore } {
  return { ...ctx, core: close(core) };
}

function close(core: CoreContext): OpaqueCore {
  return core as unknown as OpaqueCore;
}
