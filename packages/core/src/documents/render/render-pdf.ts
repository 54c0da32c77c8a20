import type { PrintedDocument, PrintedLine, PrintedParty } from "./printed.ts";
import { toWinAnsi } from "./win-ansi.ts";

/** Of an A4 page, in points. */
const page = { width: 595.28, height: 841.89, margin: 50 } as const;
const inner = page.width - 2 * page.margin;
/** Below is the line with the number of the page. */
const bottom = page.height - page.margin - 24;

const columns = [
  { x: page.margin, width: 235, align: "left" },
  { x: page.margin + 240, width: 55, align: "right" },
  { x: page.margin + 300, width: 95, align: "right" },
  { x: page.margin + 400, width: inner - 400, align: "right" },
] as const;

const fonts = { plain: "Helvetica", bold: "Helvetica-Bold" } as const;
const colors = { text: "#1a1a1a", faint: "#555555", rule: "#cccccc", good: "#1b7a3d", bad: "#b3261e" } as const;
const gap = 6;

type Pdf = PDFKit.PDFDocument;

/**
 * A4 pages with the fonts that every reader has. The same words give the same bytes: the date of making is the one of opening, and
 * nothing else of the outside comes in.
 */
export async function renderPdf(printed: PrintedDocument): Promise<Uint8Array> {
  // Loaded when first needed: most processes never print.
  const { default: PDFDocument } = await import("pdfkit");
  const pdf: Pdf = new PDFDocument({
    size: "A4",
    margin: page.margin,
    bufferPages: true,
    lang: printed.locale,
    info: {
      Title: printed.title,
      Author: printed.seller?.lines[0] ?? "",
      CreationDate: printed.madeAt,
      ModDate: printed.madeAt,
    },
  });
  const chunks: Uint8Array[] = [];
  const done = new Promise<Uint8Array>((resolve, reject) => {
    pdf.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    pdf.once("end", () => resolve(Buffer.concat(chunks)));
    pdf.once("error", reject);
  });
  drawDocument(pdf, printed);
  pdf.end();
  return done;
}

function drawDocument(pdf: Pdf, printed: PrintedDocument): void {
  drawStamp(pdf, printed);
  let y =
    write(pdf, printed.title, { x: page.margin, y: page.margin, width: inner - 170, size: 18, font: "bold" }) + gap;
  for (const { name, value } of printed.facts) {
    write(pdf, name, { x: page.margin, y, width: 90, color: "faint" });
    y = write(pdf, value, { x: page.margin + 95, y, width: 230 });
  }
  const parties = [...(printed.seller === null ? [] : [printed.seller]), printed.customer];
  const width = inner / 2 - gap;
  y = Math.max(
    ...parties.map((party, index) => drawParty(pdf, party, page.margin + index * (inner / 2), y + 3 * gap, width)),
  );
  y = drawHeads(pdf, printed, y + 3 * gap);
  for (const line of printed.lines) y = drawLine(pdf, printed, line, y);
  drawSums(pdf, printed, y + gap);
  drawPageNumbers(pdf, printed);
}

function drawParty(pdf: Pdf, { heading, lines }: PrintedParty, x: number, top: number, width: number): number {
  let y = write(pdf, heading, { x, y: top, width, color: "faint" });
  for (const line of lines) y = write(pdf, line, { x, y, width });
  return y;
}

function drawHeads(pdf: Pdf, printed: PrintedDocument, top: number): number {
  const ends = columns.map((column, index) =>
    write(pdf, printed.columns[index] ?? "", { ...column, y: top, font: "bold" }),
  );
  return rule(pdf, Math.max(...ends) + 2, colors.text) + gap;
}

/** A line is never torn apart: one that does not fit begins the next page, under heads of its own. */
function drawLine(pdf: Pdf, printed: PrintedDocument, line: PrintedLine, top: number): number {
  const [first] = columns;
  const height = heightOf(pdf, line.description, first.width, 9) + heightOf(pdf, line.details, first.width, 8);
  const start = top + height + gap > bottom ? nextPage(pdf, printed) : top;
  const described = write(pdf, line.description, { ...first, y: start });
  const ends = [line.quantity, line.unitPrice, line.amount].map((text, index) => {
    const column = columns[index + 1] ?? first;
    return write(pdf, text, { ...column, y: start });
  });
  const end = Math.max(write(pdf, line.details, { ...first, y: described, size: 8, color: "faint" }), ...ends);
  return rule(pdf, end + 2, colors.rule) + gap;
}

function drawSums(pdf: Pdf, printed: PrintedDocument, top: number): void {
  const names = { x: page.margin + 180, width: 215, align: "right" } as const;
  const values = columns[3];
  let y = top;
  for (const { name, value, isStrong } of printed.sums) {
    if (y + heightOf(pdf, name, names.width, 9) > bottom) y = nextPage(pdf, null);
    const font = isStrong ? "bold" : "plain";
    y = Math.max(write(pdf, name, { ...names, y, font }), write(pdf, value, { ...values, y, font })) + 2;
  }
}

function nextPage(pdf: Pdf, printed: PrintedDocument | null): number {
  pdf.addPage();
  return printed === null ? page.margin : drawHeads(pdf, printed, page.margin);
}

function drawStamp(pdf: Pdf, { stamp }: PrintedDocument): void {
  if (stamp === null) return;
  const [width, height] = [150, 34];
  const [x, y] = [page.width - page.margin - width, page.margin + 8];
  const color = stamp.status === "paid" ? colors.good : colors.bad;
  pdf.save().rotate(-6, { origin: [x + width / 2, y + height / 2] });
  pdf.lineWidth(2).roundedRect(x, y, width, height, 5).stroke(color);
  pdf.font(fonts.bold).fontSize(16).fillColor(color);
  pdf.text(toWinAnsi(stamp.word), x, y + 10, { width, height: 20, align: "center", lineBreak: false });
  pdf.restore();
}

/** Written last, when it is known how many there are. The bottom margin goes, or each number would begin a page of its own. */
function drawPageNumbers(pdf: Pdf, printed: PrintedDocument): void {
  const { start, count } = pdf.bufferedPageRange();
  for (let index = start; index < start + count; index += 1) {
    pdf.switchToPage(index);
    pdf.page.margins.bottom = 0;
    const text = `${printed.title} · ${printed.page} ${index + 1} / ${count}`;
    write(pdf, text, { x: page.margin, y: page.height - page.margin, width: inner, size: 8, color: "faint" });
  }
}

interface Writing {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly align?: "left" | "right";
  readonly size?: number;
  readonly font?: keyof typeof fonts;
  readonly color?: "text" | "faint";
}

/** Answers where the next line may begin. */
function write(pdf: Pdf, text: string, writing: Writing): number {
  const { x, y, width, align = "left", size = 9, font = "plain", color = "text" } = writing;
  pdf.font(fonts[font]).fontSize(size).fillColor(colors[color]);
  pdf.text(toWinAnsi(text), x, y, { width, align });
  return pdf.y;
}

function heightOf(pdf: Pdf, text: string, width: number, size: number): number {
  return pdf.font(fonts.plain).fontSize(size).heightOfString(toWinAnsi(text), { width });
}

function rule(pdf: Pdf, y: number, color: string): number {
  pdf
    .lineWidth(0.5)
    .moveTo(page.margin, y)
    .lineTo(page.width - page.margin, y)
    .stroke(color);
  return y;
}
