import { unreachable } from "./errors.ts";
import type { MemberRole } from "./roles.ts";
import type { TokenScope } from "./scopes.ts";

/** The API token by which a member acts through a program. */
export interface ActingToken {
  readonly id: string;
  readonly scopes: readonly TokenScope[];
}

/** Who acts. Stands in every event and audit row. */
export type Actor =
  | { readonly type: "anonymous" }
  /** `role`: in the organization that the context is bound to. */
  | { readonly type: "user"; readonly userId: string; readonly role: MemberRole; readonly token?: ActingToken }
  | { readonly type: "operator"; readonly userId: string }
  | { readonly type: "system"; readonly name: "worker" | "server" | "cli" };

export function formatActor(actor: Actor): string {
  switch (actor.type) {
    case "anonymous":
      return "anonymous";
    case "user":
      return `user:${actor.userId}${actor.token === undefined ? "" : `:token:${actor.token.id}`}`;
    case "operator":
      return `operator:${actor.userId}`;
    case "system":
      return `system:${actor.name}`;
    default:
      return unreachable(actor);
  }
}

export function userActor(userId: string, role: MemberRole, token: ActingToken | null = null): Actor {
  return { type: "user", userId, role, ...(token !== null && { token }) };
}
