/**
 * The colours of every chart, each for a light and a dark ground. Hues that people with any of the usual colour blindnesses tell apart, and
 * 3 : 1 against their ground at least; text colours 4.5 : 1. No chart says by colour alone what it says.
 */

import { type Markup, markup } from './markup.js';

export type Paint = keyof typeof kPalette;

export const kPalette = {
  paper: { light: '#ffffff', dark: '#16191d' },
  ink: { light: '#1b1f24', dark: '#e8eaed' },
  muted: { light: '#59616b', dark: '#a3adb8' },
  grid: { light: '#e3e6ea', dark: '#2f353c' },
  axis: { light: '#868e98', dark: '#78828e' },
  blue: { light: '#0a5fb4', dark: '#66b0ff' },
  orange: { light: '#c25700', dark: '#ff9a4d' },
  green: { light: '#00795a', dark: '#3fc79f' },
  purple: { light: '#8a3fa0', dark: '#d69ae6' },
  gold: { light: '#8a6d00', dark: '#e0c24a' },
  red: { light: '#b3261e', dark: '#ff8a80' },
  grey: { light: '#7a828c', dark: '#8e98a4' },
} as const;

/** The attributes that paint an element: the light colour where no style sheet is heeded, a class for the one below. */
export function paint(colours: { fill?: Paint | 'none'; stroke?: Paint | 'none' }): Markup {
  const { fill, stroke } = colours;
  const classes = [
    fill !== undefined && fill !== 'none' ? `f-${fill}` : '',
    stroke !== undefined && stroke !== 'none' ? `s-${stroke}` : '',
  ].filter((name) => name !== '');
  return markup`class="${classes.join(' ')}"${attribute('fill', fill)}${attribute('stroke', stroke)}`;
}

function attribute(name: string, colour: Paint | 'none' | undefined): Markup | null {
  if (colour === undefined) return null;
  return markup` ${name}="${colour === 'none' ? 'none' : kPalette[colour].light}"`;
}

/** The style sheet that turns the charts dark where the reader's screen is. */
export function darkStyle(): string {
  const rules = Object.entries(kPalette).map(
    ([name, { dark }]) => `.f-${name}{fill:${dark}}.s-${name}{stroke:${dark}}`,
  );
  return `@media screen and (prefers-color-scheme:dark){${rules.join('')}}`;
}
