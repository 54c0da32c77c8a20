"use client";

import { useRouter } from "next/navigation";
import { useState, useTransition } from "react";
import { useApi } from "../../lib/api-provider";
import { explain } from "../../lib/errors";
import { formatMoney } from "../../lib/format";
import { placeQuoted, type Quote, quotePlan } from "../../lib/order";

/** First shows what it costs and until when, then orders at exactly that price. */
export function OrderButton({ planId, name }: { readonly planId: string; readonly name: string }) {
  const api = useApi();
  const router = useRouter();
  const [wish, setWish] = useState<{ readonly quote: Quote; readonly idempotencyKey: string } | null>(null);
  const [note, setNote] = useState<string | null>(null);
  const [isPending, startTransition] = useTransition();

  const attempt = (work: () => Promise<void>): void =>
    startTransition(async () => {
      setNote(null);
      await work().catch((error: unknown) => setNote(explain(error)));
    });
  const agreeTo = (quote: Quote): void => setWish({ quote, idempotencyKey: `order-${crypto.randomUUID()}` });
  const quote = (): void => attempt(async () => agreeTo(await quotePlan(api, planId)));
  const place = ({ quote: agreed, idempotencyKey }: NonNullable<typeof wish>): void =>
    attempt(async () => {
      const placed = await placeQuoted(api, agreed, { name, idempotencyKey });
      if (placed.kind === "placed") return router.push(`/apps/${placed.instanceId}`);
      agreeTo(placed.quote);
      setNote("The price has changed. This is the new one.");
    });

  return (
    <>
      {wish === null ? (
        <button type="button" onClick={quote} disabled={isPending}>
          What does it cost?
        </button>
      ) : (
        <button type="button" onClick={() => place(wish)} disabled={isPending || !wish.quote.capacity.fits}>
          {wish.quote.capacity.fits
            ? `Order for ${formatMoney(wish.quote.total)} until ${wish.quote.period.end.toISOString().slice(0, 10)}`
            : "No room at the moment"}
        </button>
      )}
      {note !== null && <span role="alert"> {note}</span>}
    </>
  );
}
