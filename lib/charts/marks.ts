/** What charts mark points with: twelve shapes that are told apart without colour. */

import { type Markup, markup } from './markup.js';
import { type Paint, paint } from './palette.js';

export type Shape = 'circle' | 'square' | 'diamond' | 'up' | 'down' | 'cross' | 'plus';

export interface Mark {
  shape: Shape;
  /** Hollow ones show the ground. A cross and a plus are strokes and always solid. */
  hollow: boolean;
  colour: Paint;
}

/** Half the width of a mark, in the drawing's units. */
const kMarkRadius = 4.2;

const kOutlines: Readonly<Record<Exclude<Shape, 'circle'>, string>> = {
  square: 'M-3.7-3.7H3.7V3.7H-3.7Z',
  diamond: 'M0-5.2 5.2 0 0 5.2-5.2 0Z',
  up: 'M0-5 4.8 3.6H-4.8Z',
  down: 'M0 5 4.8-3.6H-4.8Z',
  cross: 'M-3.6-3.6 3.6 3.6M-3.6 3.6 3.6-3.6',
  plus: 'M0-4.8V4.8M-4.8 0H4.8',
};

/** `title` is what a pointer resting on it shows. */
export function drawMark({ shape, hollow, colour }: Mark, x: number, y: number, title: string | null = null): Markup {
  const stroked = shape === 'cross' || shape === 'plus';
  const colours = stroked
    ? paint({ fill: 'none', stroke: colour })
    : paint(hollow ? { fill: 'paper', stroke: colour } : { fill: colour, stroke: 'paper' });
  const width = stroked ? 2.4 : hollow ? 1.8 : 1;
  const label = title === null ? null : markup`<title>${title}</title>`;
  if (shape === 'circle') {
    return markup`<circle cx="${place(x)}" cy="${place(y)}" r="${kMarkRadius}" stroke-width="${width}" ${colours}>${label}</circle>`;
  }
  return markup`<path transform="translate(${place(x)} ${place(y)})" d="${kOutlines[shape]}" stroke-width="${width}" ${colours}>${label}</path>`;
}

/** A tenth of a unit is finer than any screen. */
export function place(value: number): string {
  return String(Math.round(value * 10) / 10);
}
