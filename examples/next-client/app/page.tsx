import Link from "next/link";
import { redirect } from "next/navigation";
import { refusalOf } from "../lib/errors";
import { formatMoney } from "../lib/format";
import { serverApi } from "../lib/server-api";
import { LogOutButton } from "./log-out-button";
import { OrderButton } from "./order/order-button";

/** The customer's apps and what else there is, read on the server in one request to the API. */
export default async function AppsPage() {
  const { me, apps, offerings } = await read();
  const plans = offerings.items.flatMap((offering) => offering.plans.map((plan) => ({ offering, plan })));
  return (
    <main>
      <p>
        {me.user.email} <LogOutButton />
      </p>
      <h1>Your apps</h1>
      {apps.items.length === 0 && <p>You have none yet.</p>}
      <ul>
        {apps.items.map(({ id, name, offering, observedPhase }) => (
          <li key={id}>
            <Link href={`/apps/${id}`}>{name}</Link> ({offering.name}): {observedPhase}
          </li>
        ))}
      </ul>
      <h2>Order another</h2>
      <ul>
        {plans.map(({ offering, plan }) => (
          <li key={plan.id}>
            {offering.name} {plan.name}, {plan.price === null ? "not for sale" : formatMoney(plan.price)}{" "}
            {plan.price !== null && <OrderButton planId={plan.id} name={offering.name} />}
          </li>
        ))}
      </ul>
    </main>
  );
}

async function read() {
  const api = await serverApi();
  try {
    // Sent together: the client batches what is asked in one tick.
    const [me, apps, offerings] = await Promise.all([
      api.auth.me.query(),
      api.instances.list.query({ limit: 50 }),
      api.offerings.list.query({}),
    ]);
    return { me, apps, offerings };
  } catch (error) {
    if (refusalOf(error)?.appCode === "UNAUTHORIZED") redirect("/log-in");
    throw error;
  }
}
