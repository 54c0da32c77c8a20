"use client";

import type { InstanceDto } from "@sewa/api";
import { useEffect, useState } from "react";
import { useApi } from "../../../lib/api-provider";
import { explain } from "../../../lib/errors";

/**
 * Goes on from what the server rendered: its revision is the id after which the stream begins. When the connection breaks, the
 * client comes back by itself and names the last id that it got, so nothing is missed and nothing comes twice.
 */
export function LiveStatus({ initial }: { readonly initial: InstanceDto }) {
  const api = useApi();
  const [instance, setInstance] = useState(initial);
  const [connection, setConnection] = useState("connecting");
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    const stream = api.instances.onStatus.subscribe(
      { instanceId: initial.id, lastEventId: String(initial.revision) },
      {
        onData: ({ data }) => setInstance(data),
        onConnectionStateChange: ({ state }) => setConnection(state === "pending" ? "live" : state),
        onError: (error) => setProblem(explain(error)),
        // The stream ends in order when nothing is left of the app.
        onComplete: () => setConnection("ended"),
      },
    );
    return () => stream.unsubscribe();
  }, [api, initial.id, initial.revision]);

  const { operation } = instance;
  return (
    <>
      <p aria-live="polite">
        {instance.observedPhase}
        {instance.message !== null && `: ${instance.message}`} <small>({connection})</small>
      </p>
      {instance.isOpen && (
        <p>
          <a href={instance.url}>{instance.url}</a>
        </p>
      )}
      {operation !== null && (
        <ol>
          {operation.steps.map(({ key, status }) => (
            <li key={key}>
              {key}: {status}
            </li>
          ))}
        </ol>
      )}
      {problem !== null && <p role="alert">{problem}</p>}
    </>
  );
}
