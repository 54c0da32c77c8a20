/**
 * public: anybody. user: whoever is logged in, for themselves. organization: a member of the organization whose things
 * they are. operator: who runs the house.
 */
export type Access = "public" | "user" | "organization" | "operator";

/** Declared by every procedure. */
export interface ProcedureMeta {
  readonly access: Access;
  /** The line of core's permission table that is asked for; null where being there is enough. */
  readonly permission: string | null;
  /**
   * The session has to be confirmed within the last quarter of an hour, by log-in or `auth.confirm`: else the call is refused with
   * CONFIRMATION_REQUIRED. `destroying`: only where its input destroys something.
   */
  readonly confirmation?: "always" | "destroying";
  /** Also for operators whose password has ended, whom all else refuses with PASSWORD_EXPIRED. */
  readonly isForExpiredPasswords?: true;
}
