/** A rule's name beside the line and the mark that it has in the charts. */

import { drawMark } from '../../charts/marks.js';
import { type Markup, markup } from '../../charts/markup.js';
import { paint } from '../../charts/palette.js';
import type { RuleName } from '../evaluation.js';
import { kRules } from './rules.js';

/** 28 × 12 units. */
export function ruleSwatch(rule: RuleName): Markup {
  const { mark, dashes, width } = kRules[rule];
  const alone = rule === 'small' || rule === 'large';
  const line = markup`<path d="M0 6H28" stroke-width="${width}"${dashes !== '' && markup` stroke-dasharray="${dashes}"`} ${paint({ stroke: mark.colour })}/>`;
  return markup`${alone ? null : line}${drawMark(mark, 14, 6)}`;
}

export function ruleName(rule: RuleName, inForce: boolean): Markup {
  return markup`<span class="rule"><svg viewBox="0 0 28 12" aria-hidden="true">${ruleSwatch(rule)}</svg>${kRules[rule].name}${inForce && markup` <em>in force</em>`}</span>`;
}
