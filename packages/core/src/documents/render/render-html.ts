import { html, Markup } from "./markup.ts";
import type { PrintedDocument, PrintedParty, PrintedSum } from "./printed.ts";

const nothing = new Markup("");

const style = new Markup(`
@page { size: A4; margin: 18mm; }
body { font: 10pt/1.45 Helvetica, Arial, sans-serif; color: #1a1a1a; max-width: 174mm; margin: 0 auto; padding: 8mm; }
@media print { body { padding: 0; } }
header { display: flex; justify-content: space-between; align-items: flex-start; }
h1 { font-size: 18pt; margin: 0 0 4mm; }
.stamp { border: 2pt solid; border-radius: 2mm; padding: 1mm 4mm; font-weight: bold; font-size: 16pt; transform: rotate(-6deg); }
.paid { color: #1b7a3d; } .void, .uncollectible, .draft { color: #b3261e; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 6mm; margin: 0; }
dt { color: #555; } dd { margin: 0; }
.parties { display: flex; gap: 12mm; margin: 8mm 0; } .parties section { flex: 1; overflow-wrap: anywhere; }
h2 { font-size: 9pt; color: #555; margin: 0; font-weight: normal; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; border-bottom: 1pt solid #1a1a1a; } td { border-bottom: .5pt solid #ccc; vertical-align: top; }
th, td { padding: 1.5mm 2mm 1.5mm 0; overflow-wrap: anywhere; } tr { break-inside: avoid; }
.number { text-align: right; white-space: nowrap; padding-right: 0; padding-left: 2mm; } small { color: #555; display: block; }
.sums { width: auto; min-width: 50%; margin: 4mm 0 0 auto; } .strong td { font-weight: bold; border-top: 1pt solid #1a1a1a; }
`);

/** One page that needs nothing else: no script, no picture, no address. Pure: the same words give the same text. */
export function renderHtml(printed: PrintedDocument): string {
  const [description, quantity, unitPrice, amount] = printed.columns;
  return html`<!doctype html>
    <html lang="${printed.locale}">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <title>${printed.title}</title>
        <style>
          ${style}
        </style>
      </head>
      <body>
        <header>
          <div>
            <h1>${printed.title}</h1>
            <dl>
              ${printed.facts.map(
                ({ name, value }) =>
                  html`<dt>${name}</dt>
                    <dd>${value}</dd>`,
              )}
            </dl>
          </div>
          ${printed.stamp === null ? nothing : html`<div class="stamp ${printed.stamp.status}">${printed.stamp.word}</div>`}
        </header>
        <div class="parties">
          ${printed.seller === null ? nothing : party(printed.seller)}${party(printed.customer)}
        </div>
        <table>
          <thead>
            <tr>
              <th>${description}</th>
              <th class="number">${quantity}</th>
              <th class="number">${unitPrice}</th>
              <th class="number">${amount}</th>
            </tr>
          </thead>
          <tbody>
            ${printed.lines.map(
              (line) =>
                html`<tr>
                  <td>${line.description}<small>${line.details}</small></td>
                  <td class="number">${line.quantity}</td>
                  <td class="number">${line.unitPrice}</td>
                  <td class="number">${line.amount}</td>
                </tr> `,
            )}
          </tbody>
        </table>
        <table class="sums">
          <tbody>
            ${printed.sums.map(sum)}
          </tbody>
        </table>
      </body>
    </html> `.text;
}

function party({ heading, lines }: PrintedParty): Markup {
  return html`<section>
    <h2>${heading}</h2>
    ${lines.map((line) => html`<div>${line}</div>`)}
  </section>`;
}

function sum({ name, value, isStrong }: PrintedSum): Markup {
  return html`<tr class="${isStrong ? "strong" : "plain"}">
    <td>${name}</td>
    <td class="number">${value}</td>
  </tr> `;
}
