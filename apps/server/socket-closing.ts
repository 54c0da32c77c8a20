import type { WebSocket } from "ws";
import type { House } from "./house.ts";

/** Why we close a socket, in the words of the close frame. */
const closings = {
  silent: { code: 1008, reason: "connection parameters did not come" },
  badFrames: { code: 1008, reason: "too many frames that are no JSON" },
  sessionEnded: { code: 1008, reason: "session ended" },
  rightsChanged: { code: 1008, reason: "rights changed" },
  slow: { code: 1013, reason: "reading too slowly" },
  restart: { code: 1012, reason: "service restart" },
} as const;
export type Closing = keyof typeof closings;

/** Who does not answer a close frame by then is cut off. */
export const terminateMs = 2_000;

export function closeSocket(house: House, client: WebSocket, why: Closing): void {
  if (client.readyState !== client.OPEN) return;
  house.metrics.closedSockets.inc({ reason: why });
  client.close(closings[why].code, closings[why].reason);
  // Who does not read does not read the close frame either.
  setTimeout(() => client.terminate(), terminateMs).unref();
}
