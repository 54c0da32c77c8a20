import { DomainError } from "../errors.ts";

const maxPathCharacters = 500;
/** Visible ASCII without the backslash, which browsers read as a slash; a second slash would begin the name of a host. */
const path = /^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/;

/** Where in the portal a path leads, written out; null for what leads anywhere else. */
export function portalAddressOf(portalUrl: string, returnTo: string): string | null {
  if (returnTo.length > maxPathCharacters || !path.test(returnTo)) return null;
  const base = new URL(`${portalUrl}/`);
  const target = URL.parse(portalUrl + returnTo);
  if (target === null || target.origin !== base.origin) return null;
  return target.pathname.startsWith(base.pathname) && !target.pathname.includes("//") ? target.href : null;
}

/** Throws INVALID_INPUT. */
export function checkReturnTo(portalUrl: string, returnTo: string): string {
  if (portalAddressOf(portalUrl, returnTo) !== null) return returnTo;
  const message = "Enter a path of the portal, such as /settings.";
  throw new DomainError("INVALID_INPUT", message, { issues: [{ path: "returnTo", message }] });
}
