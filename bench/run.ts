import { benchClone } from "./clone.ts";
import { benchEvents } from "./events.ts";
import { type Floor, openFloor } from "./floor.ts";
import { type House, openHouse } from "./house.ts";
import { benchLive } from "./live.ts";
import { benchObserve } from "./observe.ts";
import { benchOrders } from "./orders.ts";
import { benchPure } from "./pure.ts";
import { printLines, writeResults } from "./report.ts";
import type { Line } from "./sample.ts";

/** The small ones first: orders leave tens of thousands of rows behind. */
const benchmarks: readonly ((house: House, floor: Floor) => Promise<readonly Line[]>)[] = [
  benchPure,
  benchLive,
  benchClone,
  benchObserve,
  benchEvents,
  benchOrders,
];

const begin = performance.now();
await using house = await openHouse();
const { server_version: version, ...durability } = house.settings;
const settings = Object.entries(durability).map(([name, value]) => `${name}=${value}`);
console.log(`PostgreSQL ${version ?? "unknown"} of this run's own: ${settings.join(", ")}.`);
if (durability["fsync"] === "off") {
  console.log(
    "It does not wait for the disk, so these are the costs of our code and its locks, not of a durable commit.",
  );
}
await using floor = await openFloor(house);
const lines: Line[] = [];
for (const benchmark of benchmarks) {
  const measured = await benchmark(house, floor);
  printLines(measured);
  lines.push(...measured);
}
const seconds = Math.round((performance.now() - begin) / 1_000);
console.log(`\n${seconds} s. Written to ${writeResults(lines, house.settings, seconds)}`);
