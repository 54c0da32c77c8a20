import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isPublic, toList } from "./address-rules.ts";
import { createOutgoing, type OutgoingOptions } from "./index.ts";
import { nextHop } from "./outgoing.ts";

const runs = 2_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);

type Answer = (request: IncomingMessage, response: ServerResponse, port: number) => void;

/** A server of this machine. `asked`: every request that reached it, `connections`: and every connection. */
async function startTarget(answer: Answer) {
  const asked: IncomingMessage[] = [];
  let connections = 0;
  const server: Server = createServer((request, response) => {
    asked.push(request);
    answer(request, response, (server.address() as AddressInfo).port);
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Answers one after the other, the last one again and again. */
function resolver(
  ...answers: readonly (readonly string[])[]
): Required<Pick<OutgoingOptions, "resolve">> & { times: () => number } {
  let times = 0;
  return {
    times: () => times,
    resolve: (_host) => {
      const addresses = answers[Math.min(times, answers.length - 1)] ?? [];
      times += 1;
      return Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
    },
  };
}

const loopback = ["127.0.0.1/32"];
const ok: Answer = (_, response) => void response.end("hello");

test("where the operator allows it, an answer comes with its status, headers and body, and a name is asked for once", async () => {
  await using target = await startTarget((request, response) =>
    response.writeHead(201, { "x-seen": request.headers.host ?? "" }).end("hello"),
  );
  const names = resolver(["127.0.0.1"]);
  const call = createOutgoing({ allowedRanges: loopback, ...names });
  const answer = await call({ url: `http://app.example:${target.port}/a?b=c`, headers: { accept: "text/plain" } });
  expect(answer).toMatchObject({
    status: 201,
    headers: { "x-seen": `app.example:${target.port}` },
    body: Buffer.from("hello"),
  });
  expect(target.asked[0]).toMatchObject({
    url: "/a?b=c",
    headers: { accept: "text/plain", "accept-encoding": "identity" },
  });
  expect(names.times()).toBe(1);
  const posted = await call({ url: `http://app.example:${target.port}/`, method: "POST", body: "x" });
  expect([posted.status, target.asked[1]?.method]).toEqual([201, "POST"]);
});

test("B63 B66 no spelling of an address of this machine or of a private network gets through, and nothing is connected to", async () => {
  await using target = await startTarget(ok);
  const call = createOutgoing({ ports: [443, target.port] });
  const hosts = [
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "0",
    "0.0.0.0",
    "１２７.0.0.1",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
  ];
  for (const host of hosts) {
    for (const scheme of ["http", "https"]) {
      const url = `${scheme}://${host}:${target.port}/`;
      const refused = await call({ url }).catch((error: unknown) => error);
      expect({ url, refused }).toMatchObject({ url, refused: { name: "OutgoingError", reason: "address" } });
    }
  }
  for (const url of ["http://[fe80::1%25lo]/", "http://127.0.0.1.:x/", "//a", "", "http://"])
    expect({ url, refused: await call({ url }).catch((error: unknown) => error) }).toMatchObject({
      url,
      refused: { reason: "url" },
    });
  expect(target.connections()).toBe(0);
});

test("B64 a name that means something else the second time is refused at its connection", async () => {
  await using target = await startTarget((_, response) => void response.end("hello"));
  const names = resolver(["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "192.168.0.1"], ["fe80::1%eth0"], []);
  const call = createOutgoing({ allowedRanges: loopback, ...names });
  const url = `http://rebind.example:${target.port}/`;
  expect((await call({ url })).status).toBe(200);
  for (const reason of ["address", "address", "address", "failed"])
    await expect(call({ url })).rejects.toMatchObject({ reason });
  expect([names.times(), target.connections()]).toEqual([5, 1]);
});

test("B65 each hop of a redirect is looked at again, three at most, none from https to http, and credentials stay at home", async () => {
  await using target = await startTarget((request, response, port) => {
    const path = new URL(request.url ?? "/", "http://target").pathname;
    const [, kind = "", count = "0"] = path.split("/");
    const to = {
      private: "http://169.254.169.254/latest/meta-data/",
      file: "file:///etc/passwd",
      name: `http://elsewhere.example:${port}/end`,
      hops: Number(count) === 0 ? "/end" : `/hops/${Number(count) - 1}`,
      credentials: `http://user:pass@127.0.0.1:${port}/end`,
    }[kind];
    if (to === undefined) response.end("end");
    else response.writeHead(302, { location: to }).end();
  });
  const names = resolver(["127.0.0.1"]);
  const call = createOutgoing({ allowedRanges: loopback, ...names });
  const base = `http://start.example:${target.port}`;
  expect((await call({ url: `${base}/hops/2` })).body.toString()).toBe("end");
  await expect(call({ url: `${base}/hops/3` })).rejects.toMatchObject({ reason: "redirect" });
  await expect(call({ url: `${base}/private` })).rejects.toMatchObject({ reason: "address" });
  await expect(call({ url: `${base}/file` })).rejects.toMatchObject({ reason: "scheme" });
  await expect(call({ url: `${base}/credentials` })).rejects.toMatchObject({ reason: "credentials" });
  await expect(call({ url: `${base}/hops/0`, method: "POST", body: "x" })).rejects.toMatchObject({
    reason: "redirect",
  });
  target.asked.length = 0;
  const answer = await call({
    url: `${base}/name`,
    headers: { authorization: "Bearer x", Cookie: "a=b", accept: "*/*" },
  });
  expect(answer.url).toBe(`http://elsewhere.example:${target.port}/end`);
  const seen = target.asked.map(({ headers: { authorization, cookie, accept } }) => ({
    authorization,
    cookie,
    accept,
  }));
  expect(seen).toEqual([
    { authorization: "Bearer x", cookie: "a=b", accept: "*/*" },
    { authorization: undefined, cookie: undefined, accept: "*/*" },
  ]);
});

test("B65 an address with credentials, of another scheme, or a public one without TLS or at another port is not called", async () => {
  const names = resolver(["93.184.215.14"]);
  const call = createOutgoing(names);
  const refusals: Readonly<Record<string, string>> = {
    "https://user:pass@app.example/": "credentials",
    "https://user@app.example/": "credentials",
    "ftp://app.example/": "scheme",
    "file:///etc/passwd": "scheme",
    "data:text/plain,x": "scheme",
    "gopher://app.example/": "scheme",
    "http://app.example/": "scheme",
    "https://app.example:22/": "port",
    "https://93.184.215.14:6379/": "port",
  };
  for (const [url, reason] of Object.entries(refusals)) await expect(call({ url })).rejects.toMatchObject({ reason });
});

test("B67 a body without an end, one that hardly comes and one that says that it is small come to an end", async () => {
  await using target = await startTarget((request, response) => {
    if (request.url === "/slow") return void response.write("a");
    if (request.url === "/silent") return;
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(10_000)));
      response.once("drain", more);
    };
    more();
  });
  const call = createOutgoing({ allowedRanges: loopback, bodyBytes: 100_000 });
  const quick = createOutgoing({ allowedRanges: loopback, totalMs: 200 });
  const base = `http://127.0.0.1:${target.port}`;
  await expect(call({ url: `${base}/endless` })).rejects.toMatchObject({ reason: "too_large" });
  await expect(quick({ url: `${base}/slow` })).rejects.toMatchObject({ reason: "timeout" });
  await expect(quick({ url: `${base}/silent` })).rejects.toMatchObject({ reason: "timeout" });
  const forever = createOutgoing({
    allowedRanges: loopback,
    totalMs: 200,
    resolve: () => new Promise(() => undefined),
  });
  await expect(forever({ url: "http://nobody.example/" })).rejects.toMatchObject({ reason: "timeout" });
  const stop = AbortSignal.abort(new Error("the caller has gone"));
  await expect(call({ url: `${base}/slow`, signal: stop })).rejects.toThrow("the caller has gone");
  await expect(createOutgoing(resolver([]))({ url: "https://nobody.example/" })).rejects.toMatchObject({
    reason: "failed",
  });
});

test("an answer over TLS sends nobody to plain HTTP, nor to another scheme", () => {
  const from = new URL("https://app.example/a/b");
  expect(nextHop(from, "../c").href).toBe("https://app.example/c");
  expect(nextHop(from, "//other.example/").href).toBe("https://other.example/");
  for (const location of ["http://app.example/", "http:other.example"])
    expect(() => nextHop(from, location)).toThrow(/from https to http/);
  expect(() => nextHop(from, "javascript:alert(1)")).toThrow(/Only https/);
});

test("what is answered tells nothing of what stands behind an address", async () => {
  await using target = await startTarget(ok);
  const closed = createOutgoing(resolver(["10.0.0.7"]));
  const error: unknown = await closed({ url: `https://internal.example:${target.port}/` }).catch(
    (thrown: unknown) => thrown,
  );
  expect(String(error)).toBe("OutgoingError: It is not on the public internet.");
});

/** As numbers, and written in another way than the lists are: what is public is outside of all of these. */
const reserved: readonly (readonly [first: number, last: number])[] = [
  [0x00000000, 0x00ffffff],
  [0x0a000000, 0x0affffff],
  [0x64400000, 0x647fffff],
  [0x7f000000, 0x7fffffff],
  [0xa83f8110, 0xa83f8110],
  [0xa9fe0000, 0xa9feffff],
  [0xac100000, 0xac1fffff],
  [0xc0000000, 0xc00000ff],
  [0xc0000200, 0xc00002ff],
  [0xc0586300, 0xc05863ff],
  [0xc0a80000, 0xc0a8ffff],
  [0xc6120000, 0xc613ffff],
  [0xc6336400, 0xc63364ff],
  [0xcb007100, 0xcb0071ff],
  [0xe0000000, 0xffffffff],
];
const ipv4Values = fc.oneof(
  fc.constantFrom(
    ...reserved
      .flatMap(([first, last]) => [first - 1, first, last, last + 1])
      .filter((edge) => edge >= 0 && edge <= 0xffffffff),
  ),
  fc.integer({ min: 0, max: 0xffffffff }),
);
const dotted = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");

/** An address of version 4 within one of version 6: mapped, compatible, translated (both prefixes), tunnelled. */
function dresses(value: number): readonly string[] {
  const hex = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
  return [
    `::ffff:${dotted(value)}`,
    `0:0:0:0:0:FFFF:${hex}`,
    `::${hex}`,
    `64:ff9b::${hex}`,
    `64:ff9b:1::${hex}`,
    `2002:${hex}::`,
    `::ffff:0:${hex}`,
  ];
}

/** How a host of a URL may say the same address of version 4. */
function spellings(value: number): readonly string[] {
  const parts = [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const wide = (text: string): string =>
    text.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))).replaceAll(".", "。");
  return [
    dotted(value),
    `${dotted(value)}.`,
    String(value),
    `0x${value.toString(16).toUpperCase()}`,
    `0${value.toString(8)}`,
    parts.map((part) => `0x${part.toString(16)}`).join("."),
    parts.map((part) => `000${part.toString(8)}`).join("."),
    `${a}.0x${b.toString(16)}.${c * 256 + d}`,
    `0${a.toString(8)}.${(b * 256 + c) * 256 + d}`,
    wide(dotted(value)),
    dotted(value).replaceAll(/\d/g, (digit) => `%3${digit}`),
  ];
}

/** What a call over HTTP comes to where this machine's one address is opened: an answer, or the reason why there is none. */
type Outcome = "answered" | "address" | "scheme" | "failed";
interface Place {
  readonly address: string;
  readonly outcome: Outcome;
}
const place4 = fc.oneof(ipv4Values, fc.constant(0x7f000001)).map((value): Place & { readonly value: number } => {
  const isReserved = reserved.some(([first, last]) => value >= first && value <= last);
  return {
    value,
    address: dotted(value),
    outcome: value === 0x7f000001 ? "answered" : isReserved ? "address" : "scheme",
  };
});
const place6 = fc.oneof(
  ipv4Values
    .chain((value) => fc.constantFrom(...dresses(value)))
    .map((address): Place => ({ address, outcome: "address" })),
  fc
    .constantFrom("fe80::1", "fe80::1%lo", "::1", "::", "fd00:ec2::254", "ff02::1", "2001:db8::1")
    .map((address): Place => ({ address, outcome: "address" })),
  fc.constantFrom("2606:4700::1111", "2a00:1450:4001::200e").map((address): Place => ({ address, outcome: "scheme" })),
);
/** What a name means at one moment, at the end of however long a chain of other names. */
const meaning = fc.oneof(
  fc.array(fc.oneof(place4, place6), { maxLength: 3 }),
  fc.array(fc.constant<Place>({ address: "127.0.0.1", outcome: "answered" }), { minLength: 1, maxLength: 2 }),
);
const literal = fc.oneof(
  place4.chain(({ value, outcome }) => fc.constantFrom(...spellings(value)).map((host) => ({ host, outcome }))),
  place6
    .filter(({ address }) => !address.includes("%"))
    .map(({ address, outcome }) => ({ host: `[${address}]`, outcome })),
);

function outcomeOf(places: readonly Place[]): Outcome {
  const outcomes = places.map(({ outcome }) => outcome);
  if (outcomes.length === 0) return "failed";
  if (outcomes.every((outcome) => outcome === "answered")) return "answered";
  return outcomes.includes("address") ? "address" : "scheme";
}

test(`F16 whatever a host is spelled like, means, means the next time or sends to, only public addresses and the opened one are connected to (${runs} runs)`, async () => {
  let to = "";
  await using target = await startTarget((request, response) =>
    request.url === "/away" ? response.writeHead(302, { location: to }).end() : response.end("hello"),
  );
  const seen: Record<Outcome, number> = { answered: 0, address: 0, scheme: 0, failed: 0 };
  const story = fc.record({
    literal,
    meanings: fc.array(meaning, { minLength: 1, maxLength: 3 }),
    isSentThere: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ literal: { host, outcome }, meanings, isSentThere }) => {
      const names = resolver(...meanings.map((places) => places.map(({ address }) => address)), ["127.0.0.1"]);
      // Public addresses are spoken to over TLS only: over HTTP they are let through to there, and nobody out there is bothered.
      const call = createOutgoing({ allowedRanges: loopback, ports: [443, target.port], ...names });
      const before = target.connections();
      const outcomes: Outcome[] = [];
      const attempt = async (url: string): Promise<void> => {
        const { status, reason } = (await call({ url }).catch((error: unknown) => error)) as {
          status?: number;
          reason?: Outcome;
        };
        outcomes.push(status === 200 ? "answered" : (reason ?? "failed"));
      };
      for (const _ of meanings) await attempt(`http://rebind.example:${target.port}/`);
      const there = `http://${host}:${target.port}/`;
      // A header holds no other characters; a host may be written so, too.
      to = there.replaceAll(/[^ -~]/g, encodeURIComponent);
      await attempt(isSentThere ? `http://again.example:${target.port}/away` : there);
      const expected = [...meanings.map(outcomeOf), outcome];
      expect(outcomes).toEqual(expected);
      const answered = expected.filter((each) => each === "answered").length;
      expect(target.connections() - before).toBe(answered + (isSentThere ? 1 : 0));
      for (const each of expected) seen[each] += 1;
    }),
    { numRuns: runs },
  );
  for (const [outcome, count] of Object.entries(seen)) expect([outcome, count > 0]).toEqual([outcome, true]);
}, 600_000);

test("B66 an address of version 4 is public if it is in none of the reserved ranges, to their very edges; no dress of it in version 6 is", () => {
  fc.assert(
    fc.property(ipv4Values, (value) => {
      const isReserved = reserved.some(([first, last]) => value >= first && value <= last);
      expect([dotted(value), isPublic(dotted(value))]).toEqual([dotted(value), !isReserved]);
      for (const dress of dresses(value)) expect([dress, isPublic(dress)]).toEqual([dress, false]);
    }),
    { numRuns: runs },
  );
  for (const address of ["2606:4700::1111", "2a00:1450:4001::200e"]) expect(isPublic(address)).toBe(true);
  for (const address of ["fe80::1%eth0", "1.2.3", "", "app.example", "2001:db8::1", "3fff::1"])
    expect(isPublic(address)).toBe(false);
});

test("what is no range is refused when it is read", () => {
  for (const range of ["10.0.0.0", "10.0.0.0/33", "::/129", "a/8", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1"])
    expect(() => toList([range])).toThrow(/is no range/);
});
