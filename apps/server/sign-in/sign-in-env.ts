import { z } from "zod";
import { githubSettings, googleIssuer, type ProviderSettings } from "./settings.ts";

const isLoopback = (host: string): boolean => host === "127.0.0.1" || host === "[::1]" || host === "localhost";

/** Plain HTTP is for a provider on this very machine: anywhere else somebody in between could be whomever they like. */
function isSafeAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

const addressText = "Not an address like https://login.example.com.";
const text = z.string().min(1).max(500);

const genericProvider = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/)
    .refine((name) => name !== "github" && name !== "google"),
  label: z.string().regex(/^[^\p{Cc}\p{Cf}]{1,50}$/u),
  issuer: z.string().refine(isSafeAddress),
  clientId: text,
  clientSecret: text,
});

/** Says which field of which entry is wrong, never what stands there: one of them is a secret. */
const genericProviders = z.string().transform((json, context): readonly z.infer<typeof genericProvider>[] => {
  const refuse = (message: string): never => {
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  };
  let entries: unknown;
  try {
    entries = JSON.parse(json);
  } catch {
    return refuse("Not JSON.");
  }
  const parsed = z.array(genericProvider).max(20).safeParse(entries);
  if (!parsed.success) {
    const [index, field] = parsed.error.issues[0]?.path ?? [];
    if (index === undefined) return refuse("Not a list of providers.");
    const known = field === undefined ? "" : `: "${String(field)}" is missing or wrong`;
    return refuse(`Entry ${Number(index) + 1}${known === "" ? " is no provider" : known}.`);
  }
  const { data } = parsed;
  if (new Set(data.map(({ name }) => name)).size < data.length) return refuse("Two entries have the same name.");
  if (new Set(data.map(({ issuer }) => issuer)).size < data.length) return refuse("Two entries have the same issuer.");
  return data;
});

/** By what people sign in beside their password. Each is off unless it is named. */
export const signInShape = {
  GITHUB_CLIENT_ID: text.optional(),
  GITHUB_CLIENT_SECRET: text.optional(),
  /** github.com, or a GitHub Enterprise Server. */
  GITHUB_URL: z
    .string()
    .refine(isSafeAddress, addressText)
    .transform((url) => url.replace(/\/+$/, ""))
    .default("https://github.com"),
  GOOGLE_CLIENT_ID: text.optional(),
  GOOGLE_CLIENT_SECRET: text.optional(),
  /** `[{"name","label","issuer","clientId","clientSecret"}]`. */
  OIDC_PROVIDERS: genericProviders.optional(),
} as const;

const signInEnvironment = z.object({ ...signInShape, API_URL: z.string().optional() });
type SignInEnvironment = z.infer<typeof signInEnvironment>;

const pairs = [
  ["GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"],
  ["GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"],
] as const;

/** For `superRefine`: names what is missing beside what is set. Providers send browsers back to an address, which has to be said. */
export function requireWholeSignIn(env: SignInEnvironment, context: z.RefinementCtx): void {
  const refuse = (name: string): void =>
    context.addIssue({ code: "custom", path: [name], message: "Has to be set too." });
  for (const pair of pairs) {
    const missing = pair.filter((name) => env[name] === undefined);
    if (missing.length === 1) missing.forEach(refuse);
  }
  if (signInProviders(env).length > 0 && env.API_URL === undefined) refuse("API_URL");
}

export function signInProviders(env: SignInEnvironment): readonly ProviderSettings[] {
  const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GITHUB_URL, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET } = env;
  const providers: ProviderSettings[] = [];
  if (GITHUB_CLIENT_ID !== undefined && GITHUB_CLIENT_SECRET !== undefined)
    providers.push(githubSettings({ clientId: GITHUB_CLIENT_ID, clientSecret: GITHUB_CLIENT_SECRET }, GITHUB_URL));
  if (GOOGLE_CLIENT_ID !== undefined && GOOGLE_CLIENT_SECRET !== undefined) {
    const client = { clientId: GOOGLE_CLIENT_ID, clientSecret: GOOGLE_CLIENT_SECRET };
    // It does not say when somebody proved to be themselves.
    providers.push({
      kind: "oidc",
      name: "google",
      label: "Google",
      issuer: googleIssuer,
      canConfirm: false,
      ...client,
    });
  }
  for (const provider of env.OIDC_PROVIDERS ?? []) providers.push({ kind: "oidc", canConfirm: true, ...provider });
  return providers;
}
