import type { GatewayEnvironment } from "../config.ts";
import type { PaymentProvider } from "./provider.ts";
import { createSandboxProvider } from "./sandbox-provider.ts";

/** The payment providers of an environment; none where no gateway is named. */
export function connectProviders(env: GatewayEnvironment): readonly PaymentProvider[] {
  const { SANDBOX_GATEWAY_URL: url, SANDBOX_GATEWAY_KEY: apiKey, SANDBOX_WEBHOOK_SECRETS: webhookSecrets } = env;
  if (url === undefined || apiKey === undefined || webhookSecrets === undefined) return [];
  return [createSandboxProvider({ url, apiKey, webhookSecrets })];
}
