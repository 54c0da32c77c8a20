/** Holds cookies by host and follows redirects itself, as a browser does; stops before it would leave for a host of nobody. */
export interface TestBrowser {
  readonly cookies: Map<string, Map<string, string>>;
  /** One request, no redirect followed. */
  get(url: string): Promise<Response>;
  /** Follows until somewhere that begins with `until`, which is not asked for. */
  follow(url: string, until: string): Promise<URL>;
}

const maxSteps = 20;

export function createBrowser(): TestBrowser {
  const cookies = new Map<string, Map<string, string>>();
  const get = async (url: string): Promise<Response> => {
    const { origin } = new URL(url);
    const jar = cookies.get(origin) ?? new Map<string, string>();
    cookies.set(origin, jar);
    const cookie = Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie, "accept-language": "en" } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split(/=(.*)/s, 2);
      const expires = attributes.find((attribute) => /^expires=/i.test(attribute))?.slice(8);
      if (value === "" || (expires !== undefined && new Date(expires) <= new Date())) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
  return {
    cookies,
    get,
    async follow(url, until) {
      let at = url;
      for (let step = 0; step < maxSteps; step += 1) {
        if (at.startsWith(until)) return new URL(at);
        const response = await get(at);
        await response.body?.cancel();
        const location = response.headers.get("location");
        if (location === null) throw new Error(`There is no way on from ${at}: ${response.status}.`);
        at = new URL(location, at).href;
      }
      throw new Error(`The way to ${until} has no end.`);
    },
  };
}
