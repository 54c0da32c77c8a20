import { sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { divideRounded } from "../money.ts";
import { type Page, type PageInput, pageLimit, readIdCursor, toPage } from "../pages.ts";
import type { Interval } from "../periods.ts";
import { perMonth } from "./per-month.ts";
import { isOfTheHouse, moment, readHouse } from "./read-house.ts";
import { amountAt, containedAt, isServedAt } from "./terms-at.ts";

/** What an app brings without taxes and costs in a month, in minor units. */
export interface Margin {
  readonly instanceId: string;
  readonly subscriptionId: string;
  readonly organizationId: string;
  readonly currency: string;
  readonly broughtMinor: bigint;
  /** Of the room that is held for it. Null: nobody has said what room costs, or the app is paid for in another currency. */
  readonly costMinor: bigint | null;
  /** Brought less cost; null where that is. */
  readonly marginMinor: bigint | null;
}

/** What the operator pays for room in a month, in minor units of the currency of the house. */
export interface RoomPrice {
  readonly perCpuMinor: bigint;
  readonly perGibMinor: bigint;
}

const millisPerCpu = 1_000n;
const bytesPerGib = 2n ** 30n;

/** Rounded once, half up, over CPU and memory together. */
export function costOfRoom(
  { perCpuMinor, perGibMinor }: RoomPrice,
  room: { readonly cpuMillis: bigint; readonly memoryBytes: bigint },
): bigint {
  const exact = room.cpuMillis * perCpuMinor * bytesPerGib + room.memoryBytes * perGibMinor * millisPerCpu;
  return divideRounded(exact, millisPerCpu * bytesPerGib);
}

/** Apps that bring money or hold room, so also an order that waits for its money and one that has expired. The oldest first. */
export async function listMargins(ctx: CoreContext, input: PageInput): Promise<Page<Margin>> {
  const cursor = readIdCursor(input.cursor);
  const limit = pageLimit(input);
  const now = moment(ctx.clock.now());
  const rows = await readHouse(ctx, (reader) =>
    reader.execute<{
      id: string;
      subscription_id: string;
      organization_id: string;
      currency: string;
      interval: Interval;
      amount: string;
      contained: number;
      cpu_millis: string | null;
      memory_bytes: string | null;
    }>(sql`
      select i.id, s.id as subscription_id, s.organization_id, s.currency, s.interval, h.cpu_millis, h.memory_bytes,
        case when ${isServedAt(now)} then ${amountAt(now)} else 0 end as amount, ${containedAt(now)} as contained
      from instances i join subscriptions s on s.id = i.subscription_id left join capacity_holds h on h.instance_id = i.id
      where (h.instance_id is not null or ${isServedAt(now)}) and ${isOfTheHouse(sql`s.organization_id`)}
        ${cursor === null ? sql`` : sql`and i.id > ${cursor}`}
      order by i.id limit ${limit + 1}`),
  );
  const { roomPrice, currency: houseCurrency } = ctx.config;
  const page = toPage(rows, limit, (row) => [row.id]);
  return {
    ...page,
    items: page.items.map((row) => {
      const broughtMinor = perMonth(BigInt(row.amount), row.interval, row.contained);
      const room = { cpuMillis: BigInt(row.cpu_millis ?? 0), memoryBytes: BigInt(row.memory_bytes ?? 0) };
      const costMinor = roomPrice === null || row.currency !== houseCurrency ? null : costOfRoom(roomPrice, room);
      return {
        instanceId: row.id,
        subscriptionId: row.subscription_id,
        organizationId: row.organization_id,
        currency: row.currency,
        broughtMinor,
        costMinor,
        marginMinor: costMinor === null ? null : broughtMinor - costMinor,
      };
    }),
  };
}
