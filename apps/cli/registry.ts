import { createHash } from "node:crypto";

/** Where an image is kept and under which name, as container runtimes read it. */
export interface ImageName {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
}

const answerMs = 10_000;
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
export async function resolveDigest(image: string): Promise<string> {
  const { registry, repository, tag } = parseImageName(image);
  const url = `${baseOf(registry)}/v2/${repository}/manifests/${tag}`;
  const first = await ask(url, null);
  const answer = first.status === 401 ? await ask(url, await fetchToken(first, registry)) : first;
  if (!answer.ok) throw new Error(`${registry} answers ${answer.status}`);
  const body = Buffer.from(await answer.arrayBuffer());
  // The digest is that of the bytes: what the registry says of itself is not needed.
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

/** A registry of this machine speaks plain HTTP, as container runtimes take it to. */
function baseOf(registry: string): string {
  if (registry === "docker.io") return "https://registry-1.docker.io";
  return /^(localhost|127\.0\.0\.1)(:|$)/.test(registry) ? `http://${registry}` : `https://${registry}`;
}

function ask(url: string, token: string | null): Promise<Response> {
  const headers = { accept: manifestTypes, ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
  return fetch(url, { headers, signal: AbortSignal.timeout(answerMs) }).catch((error: unknown) => {
    throw new Error(`${new URL(url).host} does not answer`, { cause: error });
  });
}

/** The registry says who gives tokens out, and for what; anybody gets one for what is public. */
async function fetchToken(refusal: Response, registry: string): Promise<string> {
  const challenge = refusal.headers.get("www-authenticate") ?? "";
  const fields = Object.fromEntries([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  const { realm, service, scope } = fields;
  if (!/^bearer /i.test(challenge) || realm === undefined) throw new Error(`${registry} asks for credentials`);
  const url = new URL(realm);
  if (url.protocol !== new URL(baseOf(registry)).protocol) throw new Error(`${registry} sends to ${url.protocol}`);
  if (service !== undefined) url.searchParams.set("service", service);
  if (scope !== undefined) url.searchParams.set("scope", scope);
  const answer = await ask(url.href, null);
  const body = (await answer.json().catch(() => null)) as { token?: unknown; access_token?: unknown } | null;
  const token = body?.token ?? body?.access_token;
  if (!answer.ok || typeof token !== "string") throw new Error(`${registry} asks for credentials`);
  return token;
}
