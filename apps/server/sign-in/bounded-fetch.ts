const timeoutMs = 5_000;
const maxBytes = 256 * 1_024;

/** The provider did not answer, not in time, at far too great a length, or with a failure of its own. */
export class ProviderUnavailable extends Error {
  override readonly name = "ProviderUnavailable";
}

/** `fetch` that ends in time and brings a bounded answer, and follows nobody anywhere. */
export async function boundedFetch(url: string, options: RequestInit): Promise<Response> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = options.signal == null ? deadline : AbortSignal.any([options.signal, deadline]);
  try {
    const response = await fetch(url, { ...options, signal, redirect: "manual" });
    if (response.status >= 500) throw new ProviderUnavailable(`The provider answered with ${response.status}.`);
    const body = await readBody(response);
    return new Response(body.byteLength === 0 ? null : body, { status: response.status, headers: response.headers });
  } catch (error) {
    if (error instanceof ProviderUnavailable) throw error;
    throw new ProviderUnavailable("The provider does not answer.", { cause: error });
  }
}

async function readBody({ body }: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop ends the connection.
    if (bytes > maxBytes) throw new ProviderUnavailable("The provider's answer is too long.");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
