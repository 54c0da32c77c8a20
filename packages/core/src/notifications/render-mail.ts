import { minorDigitsOf, toMajor } from "../money.ts";
import { type Formats, type MailText, mailTexts } from "./mail-texts.ts";
import type { Locale, Notification } from "./notification.ts";

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

export interface MailSetting {
  readonly locale: Locale;
  /** IANA name; dates are written in it. */
  readonly timeZone: string;
  /** Where the button leads. */
  readonly link: string;
}

/** Subjects longer than this are cut; some mail servers refuse long header lines. */
const maxSubjectCharacters = 150;

const languageTags = { id: "id-ID", en: "en-GB" } as const satisfies Record<Locale, string>;

/** Pure: the same notification and setting give the same mail. */
export function renderMail(notification: Notification, { locale, timeZone, link }: MailSetting): RenderedMail {
  const { subject, paragraphs, action } = textOf(notification, locale, createFormats(locale, timeZone));
  const body = paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`).join("\n");
  return {
    subject: toHeaderText(subject),
    text: [...paragraphs, `${action}: ${link}`, "Sewa"].join("\n\n"),
    html: `<!doctype html>
<html lang="${locale}">
<head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>
<body style="font-family: sans-serif; max-width: 36em; line-height: 1.5">
${body}
<p><a href="${escapeHtml(link)}" style="font-weight: bold">${escapeHtml(action)}</a></p>
<p style="font-size: small; overflow-wrap: anywhere">${escapeHtml(link)}</p>
<p>Sewa</p>
</body>
</html>
`,
  };
}

export function createFormats(locale: Locale, timeZone: string): Formats {
  const tag = languageTags[locale];
  const dates = new Intl.DateTimeFormat(tag, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone,
  });
  return {
    date: (iso) => dates.format(new Date(iso)),
    money: (amountMinor, currency) => {
      // Not Intl's own number of places: it gives the Rupiah two, which nobody writes.
      const digits = minorDigitsOf(currency);
      const format = new Intl.NumberFormat(tag, {
        style: "currency",
        currency,
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
      // `toMajor` writes plain decimals, which Intl reads exactly; a number would round large amounts.
      return format.format(toMajor({ amountMinor: BigInt(amountMinor), currency }) as Intl.StringNumericLiteral);
    },
  };
}

function textOf(notification: Notification, locale: Locale, formats: Formats): MailText {
  // A Notification carries the data of its own kind; TypeScript cannot see that through the table's index.
  const write = mailTexts[notification.kind][locale] as (data: unknown, formats: Formats) => MailText;
  return write(notification.data, formats);
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** One line without control characters: names are written by customers and a line break would start another header. */
function toHeaderText(text: string): string {
  const line = text.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  const characters = Array.from(line);
  return characters.length <= maxSubjectCharacters
    ? line
    : `${characters.slice(0, maxSubjectCharacters - 1).join("")}…`;
}
