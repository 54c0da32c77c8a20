import { DomainError } from "../errors.ts";

/** The refusal that a promise ends with; fails when it ends well or with a defect. */
export async function refusal(promise: Promise<unknown>): Promise<DomainError> {
  const outcome: unknown = await promise.catch((error: unknown) => error);
  if (outcome instanceof DomainError) return outcome;
  throw new Error("Expected a refusal.", { cause: outcome });
}
