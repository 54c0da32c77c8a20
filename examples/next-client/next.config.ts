import type { NextConfig } from "next";

const config: NextConfig = {
  // A lockfile further up is that of the house, not of this client.
  turbopack: { root: import.meta.dirname },
};

export default config;
