// Plays the browser: the client's own modules, a cookie jar and an origin, which fetch in Node does not have. Bundled beside
// the installed client and run there; says what it saw as one line of JSON.
import { createBrowserApi } from "./lib/browser-api";
import { explain } from "./lib/errors";
import { placeQuoted, quotePlan } from "./lib/order";

const [apiUrl, origin, email, password, name] = process.argv.slice(2);
const jar = new Map();
const seen = {};

const send = globalThis.fetch;
globalThis.fetch = async (url, init) => {
  const headers = new Headers(init?.headers);
  headers.set("origin", origin);
  if (init?.credentials === "include" && jar.size > 0)
    headers.set("cookie", [...jar].map(([key, value]) => `${key}=${value}`).join("; "));
  const response = await send(url, { ...init, headers });
  // A browser hides an answer that does not say that this origin may see it.
  if (response.headers.get("access-control-allow-origin") !== origin) throw new TypeError("Failed to fetch");
  for (const cookie of response.headers.getSetCookie()) {
    const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
    jar.set(key, value);
  }
  return response;
};
const sockets = [];
globalThis.WebSocket = class extends globalThis.WebSocket {
  constructor(url, protocols) {
    super(url, protocols);
    sockets.push(this);
  }
};

const { api, close } = createBrowserApi(apiUrl);
seen.stranger = await api.auth.me.query().catch(explain);
seen.wrongPassword = await api.auth.logIn.mutate({ email, password: `${password}?` }).catch(explain);
await api.auth.logIn.mutate({ email, password });
seen.cookie = [...jar].map(([key, value]) => `${key}=${value}`).join("; ");

const { items } = await api.offerings.list.query({});
const plan = items.flatMap(({ plans }) => plans).find(({ price }) => price?.amountMinor === 0n);
let quote = await quotePlan(api, plan.id);
while (!quote.capacity.fits) quote = await quotePlan(api, plan.id);
const wish = { name, idempotencyKey: `order-${crypto.randomUUID()}` };
seen.changed = (await placeQuoted(api, { ...quote, priceKey: "0".repeat(32) }, wish)).kind;
const [first, again] = await Promise.all([placeQuoted(api, quote, wish), placeQuoted(api, quote, wish)]);
seen.isOneOrder = first.instanceId === again.instanceId;
seen.instanceId = first.instanceId;
seen.unknown = await api.instances.get.query({ instanceId: `ins_${"0".repeat(26)}` }).catch(explain);

const snapshot = await api.instances.get.query({ instanceId: first.instanceId });
const revisions = [snapshot.revision];
await new Promise((resolve, reject) => {
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    // The connection is lost, and what happens next is missed by nobody.
    for (const socket of sockets) socket.close();
    await api.instances.stop.mutate({ instanceId: first.instanceId, idempotencyKey: `stop-${crypto.randomUUID()}` });
  };
  const look = ({ isOpen, observedPhase }) => {
    if (isOpen && !isStopping) stop().catch(reject);
    if (isStopping && observedPhase === "stopped") resolve();
  };
  api.instances.onStatus.subscribe(
    { instanceId: first.instanceId, lastEventId: String(snapshot.revision) },
    {
      onData({ data }) {
        revisions.push(data.revision);
        look(data);
      },
      onError: reject,
    },
  );
  look(snapshot);
});
seen.isReconnected = sockets.length > 1;
seen.isResumed = revisions.every((revision, index) => index === 0 || revision > revisions[index - 1]);
close();
process.stdout.write(`${JSON.stringify(seen)}\n`);
