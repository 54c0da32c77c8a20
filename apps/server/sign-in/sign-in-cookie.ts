/** Its own beside the session's: it is there before anybody is known, and proves nothing but that the browser is the same. */
export function signInCookieName(isSecure: boolean): string {
  return isSecure ? "__Host-sign-in" : "sign-in";
}

export function signInCookie(isSecure: boolean, value: string, expiresAt: Date): string {
  const secure = isSecure ? "; Secure" : "";
  return `${signInCookieName(isSecure)}=${value}; Path=/; Expires=${expiresAt.toUTCString()}; HttpOnly; SameSite=Lax${secure}`;
}
