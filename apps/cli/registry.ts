import { createHash } from "node:crypto";
import { createOutgoing, type Outgoing, type OutgoingAnswer, OutgoingError } from "@sewa/core";

/** Where an image is kept and under which name, as container runtimes read it. */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

const answerMs = 10_000;
const manifestBytes = 4 * 1_048_576;
const registryPorts = [443, 5_000, 5_001, 5_443, 8_443];
const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

export function parseImageName(image: string): ImageName {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  const hasRegistry = /[.:]/.test(first) || first === "localhost";
  const registry = hasRegistry ? first : "docker.io";
  const rest = hasRegistry ? image.slice(slash + 1) : image;
  const colon = rest.lastIndexOf(":");
  const name = colon === -1 ? rest : rest.slice(0, colon);
  const repository = registry === "docker.io" && !name.includes("/") ? `library/${name}` : name;
  return { registry, repository, tag: colon === -1 ? "latest" : rest.slice(colon + 1) };
}

/**
 * Digest (`sha256:…`) of what the image's tag means now, of all its platforms together. Asks the registry as anybody may,
 * without credentials. Throws an Error that says in a few words why there is no answer.
 */
export async function resolveDigest(image: string, outgoing: Outgoing): Promise<string> {
  const { registry, repository, tag } = parseImageName(image);
  const url = `${baseOf(registry)}/v2/${repository}/manifests/${tag}`;
  const first = await ask(outgoing, url, null);
  const answer = first.status === 401 ? await ask(outgoing, url, await fetchToken(outgoing, first, registry)) : first;
  if (answer.status !== 200) throw new Error(`${registry} answers ${answer.status}`);
  // The digest is that of the bytes: what the registry says of itself is not needed.
  return `sha256:${createHash("sha256").update(answer.body).digest("hex")}`;
}

/** A blueprint names the registry, and the registry who gives out its tokens: neither leads into the operator's own network. */
export function registryCalls(allowedRanges: readonly string[]): Outgoing {
  return createOutgoing({ allowedRanges, ports: registryPorts, totalMs: answerMs, bodyBytes: manifestBytes });
}

/** A registry of this machine speaks plain HTTP, as container runtimes take it to; it has to be allowed like every other here. */
function baseOf(registry: string): string {
  if (registry === "docker.io") return "https://registry-1.docker.io";
  return /^(localhost|127\.0\.0\.1)(:|$)/.test(registry) ? `http://${registry}` : `https://${registry}`;
}

function ask(outgoing: Outgoing, url: string, token: string | null): Promise<OutgoingAnswer> {
  const headers = { accept: manifestTypes, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  return outgoing({ url, headers }).catch((error: unknown) => {
    const isOurs = error instanceof OutgoingError && error.reason !== "failed" && error.reason !== "timeout";
    const why = isOurs ? `is not asked: ${error.message} (OUTGOING_ALLOWED_RANGES)` : "does not answer";
    throw new Error(`${new URL(url).host} ${why}`, { cause: error });
  });
}

/** The registry says who gives tokens out, and for what; anybody gets one for what is public. */
async function fetchToken(outgoing: Outgoing, refusal: OutgoingAnswer, registry: string): Promise<string> {
  const challenge = refusal.headers["www-authenticate"] ?? "";
  const fields = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  const { realm, service, scope } = fields;
  if (!/^bearer /i.test(challenge) || realm === undefined) throw new Error(`${registry} asks for credentials`);
  const url = new URL(realm);
  if (url.protocol !== new URL(baseOf(registry)).protocol) throw new Error(`${registry} sends to ${url.protocol}`);
  if (service !== undefined) url.searchParams.set("service", service);
  if (scope !== undefined) url.searchParams.set("scope", scope);
  const answer = await ask(outgoing, url.href, null);
  const token = tokenIn(answer.body.toString("utf8"));
  if (answer.status !== 200 || typeof token !== "string") throw new Error(`${registry} asks for credentials`);
  return token;
}

function tokenIn(text: string): unknown {
  try {
    const body = JSON.parse(text) as { readonly token?: unknown; readonly access_token?: unknown } | null;
    return body?.token ?? body?.access_token;
  } catch {
    return null;
  }
}
