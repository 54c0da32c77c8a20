export { type Env, envSchema as serverEnvSchema, readEnv } from "./env.ts";
export { createServerLog, type Logger } from "./log.ts";
export { type ServerOptions, toServerOptions } from "./options.ts";
export { type ServerLimits, usualLimits } from "./limits.ts";
export { type Server, startServer } from "./start-server.ts";
