import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { callbackify } from "node:util";
import PostalMime from "postal-mime";
import { SMTPServer } from "smtp-server";

export interface CapturedMail {
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly receivedAt: Date;
}

/** A mail server that delivers to nobody: every mail ends on a page. */
export interface MailHouse extends AsyncDisposable {
  readonly smtpUrl: string;
  /** A page with the captured mails, newest first. */
  readonly pageUrl: string;
  mails(): readonly CapturedMail[];
  /** The next mail that fits, also if it came before; throws after `timeoutMs`. */
  waitFor(fits: (mail: CapturedMail) => boolean, timeoutMs?: number): Promise<CapturedMail>;
}

const keptMails = 500;
const maxMailBytes = 1024 * 1024;

export async function startMailHouse(
  options: { readonly smtpPort?: number; readonly pagePort?: number } = {},
): Promise<MailHouse> {
  const mails: CapturedMail[] = [];
  const waiting = new Set<() => void>();
  const keepMail = async (stream: AsyncIterable<Buffer>): Promise<void> => {
    mails.push(await readMail(stream));
    if (mails.length > keptMails) mails.shift();
    for (const wake of waiting) wake();
  };
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    size: maxMailBytes,
    onData(stream, _session, done) {
      callbackify(keepMail)(stream, (error) => done(error));
    },
  });
  await new Promise<void>((resolve, reject) => {
    smtp.once("error", reject);
    smtp.listen(options.smtpPort ?? 0, "127.0.0.1", () => resolve());
  });
  // Clients that hang up in the middle are nobody's problem here.
  smtp.on("error", () => undefined);
  const page = await startPage(() => mails, options.pagePort ?? 0);
  return {
    smtpUrl: `smtp://127.0.0.1:${portOf(smtp.server)}`,
    pageUrl: `http://127.0.0.1:${portOf(page)}`,
    mails: () => mails,
    waitFor: (fits, timeoutMs = 15_000) => waitForMail(mails, waiting, fits, timeoutMs),
    async [Symbol.asyncDispose]() {
      page.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(() => resolve())),
        new Promise<void>((resolve) => page.close(() => resolve())),
      ]);
    },
  };
}

async function readMail(stream: AsyncIterable<Buffer>): Promise<CapturedMail> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  const { to, subject, text, html } = await PostalMime.parse(Buffer.concat(chunks));
  return {
    to: (to ?? []).map(({ address }) => address ?? ""),
    subject: subject ?? "",
    text: text ?? "",
    html: html ?? "",
    receivedAt: new Date(),
  };
}

async function waitForMail(
  mails: readonly CapturedMail[],
  waiting: Set<() => void>,
  fits: (mail: CapturedMail) => boolean,
  timeoutMs: number,
): Promise<CapturedMail> {
  const found = mails.findLast(fits);
  if (found !== undefined) return found;
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const mail = mails.findLast(fits);
      if (mail === undefined) return;
      end();
      resolve(mail);
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error(`The mail did not come within ${timeoutMs / 1_000} s.`));
    }, timeoutMs);
    const end = (): void => {
      clearTimeout(timer);
      waiting.delete(look);
    };
    waiting.add(look);
  });
}

async function startPage(mails: () => readonly CapturedMail[], port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url !== "/") {
      response.writeHead(404, { "content-type": "text/plain" }).end("Not found\n");
      return;
    }
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(renderPage(mails()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve());
  });
  return server;
}

function renderPage(mails: readonly CapturedMail[]): string {
  const items = mails
    .toReversed()
    .map(
      ({ to, subject, text, receivedAt }) =>
        `<article><h2>${escapeHtml(subject)}</h2><p>${escapeHtml(to.join(", "))}, ${receivedAt.toISOString()}</p><pre>${linkify(escapeHtml(text))}</pre></article>`,
    )
    .join("\n");
  return `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="5"><title>Captured mails</title>
<style>body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem}article{border-top:1px solid #ccc}pre{white-space:pre-wrap}</style>
<h1>Captured mails</h1>${items || "<p>None yet.</p>"}`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function linkify(html: string): string {
  return html.replaceAll(/https?:\/\/[^\s<]+/g, (url) => `<a href="${url}">${url}</a>`);
}

function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen on a port.");
  return address.port;
}
