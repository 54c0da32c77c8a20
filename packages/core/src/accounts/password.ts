import { hash, verify } from "@node-rs/argon2";
import { DomainError } from "../errors.ts";
import { maxPasswordCharacters } from "./input.ts";

/** argon2id, the library's default algorithm; 19 MiB for each hash that is being computed. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Hash of a text that nobody knows, of the same cost: what is compared when there is no account. */
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$ziQxM3E5sNWxqPqEQpe9cQ$0Et0o3z/M222Lr0JTQOa71h96iRYkdW9owL5JjszGzw";

/** Hashes at once in this process, and callers that may wait for their turn. */
const maxRunning = 4;
const maxWaiting = 60;

let running = 0;
const waiting: (() => void)[] = [];

export async function hashPassword(password: string): Promise<string> {
  return inTurn(() => hash(password, cost));
}

/** Does the same work whether there is a hash or not. False without one. */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  const isPossible = passwordHash !== null && password.length <= 2 * maxPasswordCharacters;
  const matches = await inTurn(() =>
    isPossible ? verify(passwordHash, password.normalize("NFC")) : verify(nobodysHash, "nobody"),
  );
  return isPossible && matches;
}

/** A flood of log-ins must take neither all memory nor all threads: a few run, some wait, the rest come again later. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running < maxRunning) {
    running += 1;
  } else {
    if (waiting.length >= maxWaiting) {
      throw new DomainError("RATE_LIMITED", "Too many log-ins at this moment.", { retryAfterSeconds: 1 });
    }
    // Whoever finishes hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
    });
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  }
}
