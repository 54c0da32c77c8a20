import { DomainError } from "../errors.ts";

export function loggedOut(): DomainError {
  return new DomainError("UNAUTHORIZED", "Log in first.");
}
