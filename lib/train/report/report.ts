/** `report`: an evaluation as a page for people, and its charts as files. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../../atomic-file.js';
import { plotFile } from '../../charts/plot.js';
import { throwIfAborted } from '../../errors.js';
import { optionGroup, parsePath, parsePaths, parseSignal } from '../../option-values.js';
import type { Evaluation } from '../evaluation.js';
import { chartFiles, chartsOf } from './charts.js';
import { readEvaluation, requireEvaluation } from './evaluation-file.js';
import { page } from './page.js';
import { readTexts } from './row-texts.js';

export interface ReportOptions {
  /** The page's path. What stands there is replaced. */
  output: string;
  /** A folder that every chart is written into as an SVG file of its own; made where it is not there. */
  svg?: string;
  /**
   * The labelled data, files of JSON lines: the rows at the boundary are then shown with their texts, cut at
   * 1,000 characters. Without it no text of a row gets into the report.
   */
  texts?: string | readonly string[];
  signal?: AbortSignal;
}

export interface ReportSummary {
  /** The page's path. */
  path: string;
  bytes: number;
  /** Paths of the SVG files; none where no folder was named. */
  charts: string[];
  /** How many of the rows at the boundary are named, and how many of these the files of texts had. */
  boundary: { rows: number; texts: number };
}

/**
 * Writes one HTML file that needs nothing beside it. `evaluation` is what `evaluate` returned, or the path of the JSON file that holds it.
 * Throws ERR_DATA where it is no whole evaluation of this version, naming the place, the value and the limit.
 */
export async function report(evaluation: Evaluation | string, options: ReportOptions): Promise<ReportSummary> {
  const { output, svg, texts, signal } = parseOptions(options);
  const whole =
    typeof evaluation === 'string' ? await readEvaluation(evaluation) : requireEvaluation(evaluation, 'evaluation');
  const ids = new Set(whole.sets.flatMap(({ boundary }) => boundary.map(({ id }) => id)));
  const found = texts === null ? null : await readTexts(texts, ids, signal);
  const charts = chartsOf(whole);
  const html = Buffer.from(page(whole, charts, found));
  throwIfAborted(signal);
  await writeAtomically(output, (write) => write(html));
  const written: string[] = [];
  if (svg !== null) {
    await mkdir(svg, { recursive: true });
    for (const plot of chartFiles(charts)) {
      throwIfAborted(signal);
      const path = join(svg, `${plot.id}.svg`);
      await writeAtomically(path, (write) => write(Buffer.from(plotFile(plot))));
      written.push(path);
    }
  }
  return {
    path: output,
    bytes: html.length,
    charts: written,
    boundary: { rows: ids.size, texts: found?.byId.size ?? 0 },
  };
}

function parseOptions(options: ReportOptions) {
  const { output, svg, texts, signal } = optionGroup(options, ['output', 'svg', 'texts', 'signal'], 'options');
  return {
    output: parsePath(output, 'options.output'),
    svg: svg === undefined ? null : parsePath(svg, 'options.svg'),
    texts: texts === undefined ? null : parsePaths(texts, 'options.texts'),
    signal: parseSignal(signal),
  };
}
