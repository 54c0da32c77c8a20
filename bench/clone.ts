import { cloneDatabase } from "@sewa/db/testing";
import type { House } from "./house.ts";
import { type Line, oneByOne, type Sample } from "./sample.ts";

const clones = 12;

/** What every test pays for a database of its own: the copy of the migrated template, against that of an empty one. */
export async function benchClone({ postgres }: House): Promise<readonly Line[]> {
  const { adminUrl, template } = postgres;
  const line = { group: "Databases for tests", floorName: "copy of an empty database" } as const;
  const floor = await timeClones(adminUrl, "template0");
  return [
    { ...line, name: "copy of the template", sample: await timeClones(adminUrl, template), floor, compareBy: "time" },
  ];
}

function timeClones(adminUrl: string, template: string): Promise<Sample> {
  return oneByOne(clones, async () => {
    const start = performance.now();
    await using database = await cloneDatabase({ adminUrl, template });
    const took = performance.now() - start;
    if (database.url === "") throw new Error("A clone has an address.");
    return took;
  });
}
