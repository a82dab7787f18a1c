/** A piece of HTML that is safe to insert as it is. */
export interface Html {
  readonly html: string;
}

type Piece = Html | string | number | undefined | readonly Html[];

/** Builds HTML; every inserted text is escaped. */
export function html(strings: TemplateStringsArray, ...pieces: Piece[]): Html {
  const rendered = strings.map((text, index) => text + render(pieces[index]));
  return { html: rendered.join('') };
}

function render(piece: Piece): string {
  if (piece === undefined) return '';
  if (typeof piece === 'string' || typeof piece === 'number') return escapeHtml(String(piece));
  return 'html' in piece ? piece.html : piece.map((part) => part.html).join('');
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}
