import { sql } from "drizzle-orm";
import { books, type BooksCheck } from "./check.ts";

/** What coupons take off. */
export const couponChecks: readonly BooksCheck[] = [
  {
    id: "M36",
    promise: "A coupon is had by as many as it counts, and each has as many periods of it as were not used.",
    kind: "books",
    by: "house",
    rows: () => sql`
      select c.id, null::uuid as organization_id from coupons c
        left join coupon_redemptions r on r.coupon_id = c.id and r.returned_at is null group by c.id
      having c.redeemed <> count(r.id) or c.redeemed > c.max_redemptions
      union all
      select r.id, r.organization_id from coupon_redemptions r join coupons c on c.id = r.coupon_id
      where r.periods_left is distinct from c.periods - (
        select count(*) from coupon_uses u where u.redemption_id = r.id and u.returned_at is null)`,
  },
  books(
    "M37",
    "Every discount is one use of one coupon, which a void invoice gives back, and takes off no more than there is.",
    ({ within }) => sql`
      select i.id, i.organization_id from invoices i join invoice_lines l on l.invoice_id = i.id
        left join coupon_uses u on u.invoice_id = i.id
      where l.kind = 'discount' and u.invoice_id is null and ${within(sql`i.organization_id`)}
      union all
      select i.id, i.organization_id from invoices i join coupon_uses u on u.invoice_id = i.id
        join coupon_redemptions r on r.id = u.redemption_id
        left join invoice_lines l on l.invoice_id = i.id and l.kind = 'discount'
      where ${within(sql`i.organization_id`)} group by i.id, i.organization_id, u.invoice_id, u.returned_at, r.id, r.subscription_id
      having count(l.id) <> 1 or (i.status = 'void') <> (u.returned_at is not null) or i.subscription_id <> r.subscription_id
      union all
      select i.id, i.organization_id from invoices i join invoice_lines l on l.invoice_id = i.id
      where ${within(sql`i.organization_id`)} group by i.id, i.organization_id
      having -coalesce(sum(l.amount_minor) filter (where l.kind = 'discount'), 0)
        > coalesce(sum(l.amount_minor) filter (where l.kind in ('plan', 'parameter', 'addon')), 0)`,
  ),
];
