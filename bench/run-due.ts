import { sweepAmong } from "./due.ts";

const due = 500;
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000, 1_000_000];

for (const subscriptions of sizes) {
  console.log(`\n${subscriptions.toLocaleString("en-US")} subscriptions, ${due} due`);
  for (const { sweep, enqueued, buffers } of await sweepAmong(subscriptions, due)) {
    const perRow = (buffers / enqueued).toFixed(1);
    console.log(`  ${sweep.padEnd(14)} ${enqueued} enqueued, ${perRow.padStart(8)} pages for each`);
  }
}
