import { sweepAmong, type Swept } from "./due.ts";

const due = 500;
/** One of so many waits for a transfer. */
const askedShare = 10;
const sizes = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [10_000, 100_000, 1_000_000];

for (const subscriptions of sizes) {
  console.log(`\n${subscriptions.toLocaleString("en-US")} subscriptions, ${due} due`);
  const print = ({ sweep, found, buffers }: Swept, name = sweep): void => {
    const perRow = (buffers / found).toFixed(1);
    console.log(`  ${name.padEnd(24)} ${found} found, ${perRow.padStart(8)} pages for each`);
  };
  for (const swept of await sweepAmong(subscriptions, due)) print(swept);
  const asked = subscriptions / askedShare;
  for (const swept of await sweepAmong(subscriptions, due, asked))
    if (swept.sweep === "payments") print(swept, `payments, ${asked} asked`);
}
