import { notFound, redirect } from "next/navigation";
import { refusalOf } from "../../../lib/errors";
import { serverApi } from "../../../lib/server-api";
import { LiveStatus } from "./live-status";

/** The app as it is, rendered on the server; from there the browser follows it. */
export default async function AppPage({ params }: { readonly params: Promise<{ readonly instanceId: string }> }) {
  const instance = await read((await params).instanceId);
  return (
    <main>
      <h1>{instance.name}</h1>
      <LiveStatus initial={instance} />
    </main>
  );
}

async function read(instanceId: string) {
  const api = await serverApi();
  try {
    return await api.instances.get.query({ instanceId });
  } catch (error) {
    switch (refusalOf(error)?.appCode) {
      case "NOT_FOUND":
        return notFound();
      case "UNAUTHORIZED":
        return redirect("/log-in");
      default:
        throw error;
    }
  }
}
