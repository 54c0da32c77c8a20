import { unreachable } from "./errors.ts";
import type { MemberRole } from "./roles.ts";
import type { TokenScope } from "./scopes.ts";

/** The API token by which a member acts through a program. */
export interface ActingToken {
  readonly id: string;
  readonly scopes: readonly TokenScope[];
}

/** The operator who acts as a member, by a session of its own. */
export interface Impersonator {
  readonly operatorId: string;
}

/** Who acts. Stands in every event and audit row. */
export type Actor =
  | { readonly type: "anonymous" }
  /** `role`: in the organization that the context is bound to. */
  | {
      readonly type: "user";
      readonly userId: string;
      readonly role: MemberRole;
      readonly token?: ActingToken;
      readonly impersonator?: Impersonator;
    }
  | { readonly type: "operator"; readonly userId: string }
  | { readonly type: "system"; readonly name: "worker" | "server" | "cli" };

export function formatActor(actor: Actor): string {
  switch (actor.type) {
    case "anonymous":
      return "anonymous";
    case "user":
      return `user:${actor.userId}${describeMeans(actor)}`;
    case "operator":
      return `operator:${actor.userId}`;
    case "system":
      return `system:${actor.name}`;
    default:
      return unreachable(actor);
  }
}

export function userActor(
  userId: string,
  role: MemberRole,
  token: ActingToken | null = null,
  impersonator: Impersonator | null = null,
): Actor {
  return {
    type: "user",
    userId,
    role,
    ...(token !== null && { token }),
    ...(impersonator !== null && { impersonator }),
  };
}

/** By what somebody acts as the user, where it is not they themselves. */
function describeMeans({ token, impersonator }: Extract<Actor, { type: "user" }>): string {
  if (token !== undefined) return `:token:${token.id}`;
  return impersonator === undefined ? "" : `:operator:${impersonator.operatorId}`;
}

/** Of an actor as it is written down: the customer alone, or a program of theirs. Which operator it was else, and from where, the house knows. */
export function isCustomersActor(actor: string): boolean {
  return /^(user:[^:]+(:token:[^:]+)?|anonymous)$/.test(actor);
}
