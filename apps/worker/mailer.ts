import type { Mailer } from "@sewa/core";
import nodemailer from "nodemailer";

const connectMs = 10_000;
const silenceMs = 20_000;

/** Hands mails to a mail server over SMTP. `url`: smtp(s)://user:password@host:port; `from`: the sender of every mail. */
export function createMailer(options: { readonly url: string; readonly from: string }): Mailer & Disposable {
  const transport = nodemailer.createTransport({
    url: options.url,
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: silenceMs,
    // Mails are text that we rendered; nothing in them names a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text, html, messageId }) {
      await transport.sendMail({ from: options.from, to, subject, text, html, messageId });
    },
    [Symbol.dispose]: () => transport.close(),
  };
}
