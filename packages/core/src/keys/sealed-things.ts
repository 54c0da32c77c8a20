import { instanceSecrets, paymentMethods } from "@sewa/db/schema";

interface SealedThing {
  readonly table: typeof instanceSecrets | typeof paymentMethods;
  readonly id: typeof instanceSecrets.instanceId | typeof paymentMethods.id;
  /** What was authenticated before organizations had keys of their own. */
  formerContext(organizationId: string, id: string): string;
}

/** Every table with a secret of an organization in its columns `key_id` and `sealed`. A test reads the catalogue for others. */
export const sealedThings = {
  instance_secrets: {
    table: instanceSecrets,
    id: instanceSecrets.instanceId,
    formerContext: (organizationId, id) => `${organizationId}|${id}`,
  },
  payment_methods: {
    table: paymentMethods,
    id: paymentMethods.id,
    formerContext: (organizationId, id) => `payment_method:${organizationId}:${id}`,
  },
} as const satisfies Record<string, SealedThing>;

/** What is authenticated with the secret of a user's second factor, which belongs to no organization: the keyring itself closes it. */
export function secondFactorContext(userId: string): string {
  return `user:${userId}:second-factor`;
}

/** A row that holds a secret: its table, and its id. */
export interface SealedPlace {
  readonly table: keyof typeof sealedThings;
  readonly id: string;
}
