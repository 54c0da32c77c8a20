import { Command } from "commander";
import { speakFor } from "./client.ts";
import { addAccountCommands } from "./commands/account.ts";
import { addAuditCommands } from "./commands/audit.ts";
import { addBlueprintCommands } from "./commands/blueprint.ts";
import { addBooksCommands } from "./commands/books.ts";
import { addClockCommands } from "./commands/clock.ts";
import { addCouponCommands } from "./commands/coupons.ts";
import { addFindCommands } from "./commands/find.ts";
import { addInstanceCommands } from "./commands/instances.ts";
import { addInventoryCommands } from "./commands/inventory.ts";
import { addInvoiceCommands } from "./commands/invoices.ts";
import { addJobCommands } from "./commands/jobs.ts";
import { addKeyCommands } from "./commands/keys.ts";
import { addLedgerCommands } from "./commands/ledger.ts";
import { addNodeCommands } from "./commands/nodes.ts";
import { addOperatorCommands } from "./commands/operator.ts";
import { addOrganizationCommands } from "./commands/organizations.ts";
import { addOrderCommands } from "./commands/orders.ts";
import { addPaymentCommands } from "./commands/payments.ts";
import { addPrivacyCommands, addUserCommands } from "./commands/privacy.ts";
import { addRevenueCommands } from "./commands/revenue.ts";
import { addSubscriptionCommands } from "./commands/subscriptions.ts";
import { addTaxCommands } from "./commands/taxes.ts";
import { addTokenCommands } from "./commands/tokens.ts";

/** All commands. Parsing throws commander's own errors instead of ending the process. */
export function createProgram(): Command {
  const program = new Command("sewa")
    .description("Rents out hosted apps: commands for operators, developers and customers.")
    .showHelpAfterError("(add --help for how it is used)");
  addAccountCommands(program);
  addPrivacyCommands(program);
  addOrganizationCommands(program);
  addTokenCommands(program);
  addOrderCommands(program);
  addSubscriptionCommands(program);
  addPaymentCommands(program);
  addInstanceCommands(program);
  addInvoiceCommands(program);
  // So far they are the customers'.
  for (const command of program.commands) takeOrganization(command);
  addBlueprintCommands(program);
  addOperatorCommands(program);
  addUserCommands(program);
  addCouponCommands(program);
  addJobCommands(program);
  addLedgerCommands(program);
  addAuditCommands(program);
  addKeyCommands(program);
  addRevenueCommands(program);
  addTaxCommands(program);
  addBooksCommands(program);
  addClockCommands(program);
  addNodeCommands(program);
  addFindCommands(program);
  addInventoryCommands(program);
  throwInstead(program);
  return program;
}

/** Who belongs to several organizations says for which one a command is. */
function takeOrganization(command: Command): void {
  for (const child of command.commands) takeOrganization(child);
  if (command.commands.length > 0) return;
  command
    .option("--organization <organization>", "which of yours it is about, org_…; that of SEWA_ORGANIZATION unless told")
    .hook("preAction", (_, action) => speakFor(action.opts<{ organization?: string }>().organization));
}

/** Settings of a parent are taken over at the time a command is added, so each is told. */
function throwInstead(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInstead(child);
}
