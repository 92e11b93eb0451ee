/** A drawing as a file of its own: with its ground, its font, its dark colours, and words for those who cannot see it. */

import { type Markup, markup } from './markup.js';
import { darkStyle, paint } from './palette.js';

export interface Drawing {
  /** Of letters, digits and hyphens. */
  id: string;
  title: string;
  /** What it shows, in words and figures. */
  description: string;
  width: number;
  height: number;
  /** Pixels for each of the drawing's units, where nothing else sets its size. */
  scale: number;
  body: Markup;
}

const kFont = `system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif`;

/** The style sheet is the one part that is no markup: it is made of the palette alone. */
export function svgFile({ id, title, description, width, height, scale, body }: Drawing): string {
  const head = markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width * scale}" height="${height * scale}" font-family="${kFont}" role="img" aria-labelledby="${id}-t ${id}-d">
<title id="${id}-t">${title}</title>
<desc id="${id}-d">${description}</desc>`;
  const ground = markup`<rect width="${width}" height="${height}" ${paint({ fill: 'paper' })}/>`;
  return [head.text, `<style>${darkStyle()}</style>`, ground.text, body.text, '</svg>', ''].join('\n');
}
