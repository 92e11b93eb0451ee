/**
 * HTML and SVG as text that cannot be broken out of: a template tag that escapes whatever is put in, unless it is markup itself. It also
 * spells out what would not show or would not be XML: control characters, marks that turn the direction of text, lone surrogates.
 */

/** Known by a registered symbol, which no JSON can forge; not by its class, of which there are two where `import` and `require` both load this file. */
const kBrand = Symbol.for('saferoute.Markup');

export class Markup {
  readonly [kBrand] = true;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand between the braces: lists are joined, null and false are nothing. */
export type Part = Markup | string | number | null | false | readonly Part[];

const kEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const kUnshowable = /(?![\t\n])\p{Cc}|\p{Bidi_Control}|\p{Noncharacter_Code_Point}|[\u2028\u2029]/gu;

/** Attribute values must stand in quotes: escaping holds for those and for text, not for bare attributes, scripts and styles. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  let text = strings[0] as string;
  for (const [index, part] of parts.entries()) text += rendered(part) + strings[index + 1];
  return new Markup(text);
}

/** `text` with everything that HTML or XML gives a meaning escaped. */
export function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(kUnshowable, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
    .replace(/[&<>"']/g, (character) => kEntities[character] as string);
}

function rendered(part: Part): string {
  if (part === null || part === false) return '';
  if (typeof part === 'object') return kBrand in part ? part.text : part.map(rendered).join('');
  return escaped(String(part));
}
