/** What the fonts that every reader of PDF brings can show beside Latin-1: the rest of Windows-1252. */
const further = new Set("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ");
const replacement = "?";

/** The text with a question mark for each character that these fonts do not have: seen to be missing, and never another letter. */
export function toWinAnsi(text: string): string {
  let shown = "";
  for (const character of text.normalize("NFC")) shown += isShown(character) ? character : replacement;
  return shown;
}

function isShown(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xff) || further.has(character);
}
