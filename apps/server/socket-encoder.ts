/** JSON in text frames, as tRPC's own, which also counts what is no JSON. */
export interface FrameEncoder {
  encode(data: unknown): string;
  /** Throws for what is no JSON. */
  decode(data: unknown): unknown;
}

export function countingEncoder(maxBadFrames: number, onTooMany: () => void): FrameEncoder {
  let badFrames = 0;
  return {
    encode: (data) => JSON.stringify(data),
    decode(data) {
      try {
        if (typeof data !== "string") throw new Error("Send text frames.");
        return JSON.parse(data) as unknown;
      } catch (error) {
        badFrames += 1;
        if (badFrames >= maxBadFrames) onTooMany();
        throw error;
      }
    },
  };
}
