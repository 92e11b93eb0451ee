/** What a router file is, for `saferoute inspect`. */

import { resolve } from 'node:path';
import { openRouter } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import { parameters } from './facts.js';
import type { Inspection } from './inspect-guard.js';
import { bytes } from './terminal.js';

const kRecipes = {
  official: "official: SafeRoute's own, learnt which rows only the large guard gets right",
  dynaguard: "dynaguard: the model card's, learnt which rows only the large guard gets right",
  benefit: 'benefit: learnt what escalating gains; above a half, more is gained than lost',
};

const kNetworks = {
  official: "SafeRoute's own: Linear, LayerNorm, ReLU; posterior means of a Bayesian network",
  card: 'of the model card "SafeRoute Router Model": Linear, BatchNorm, GELU',
};

export async function inspectRouter(file: string): Promise<Inspection> {
  const opened = await openRouter(file).catch((error: unknown) => {
    if (error instanceof SafeRouteError) return error;
    throw error;
  });
  if (opened instanceof SafeRouteError) {
    return { headline: `file  ${resolve(file)}`, lines: [], problems: [opened.message] };
  }
  const { path, kind, recipe, inputSize, widths, defaultThreshold, layerIndex, router } = opened;
  const count = router.tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  const size = router.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const types = [...new Set(router.tensors.map(({ dtype }) => dtype))].join(', ');
  return {
    headline: `router  ${path}`,
    lines: [
      ['network', kNetworks[kind]],
      ['recipe', recipe && kRecipes[recipe]],
      ['layers', [inputSize, ...widths].join(' → ')],
      ['weights', `${parameters(count)} parameters, ${types}, ${bytes(size)}`],
      ['reads', `the feature of a guard with hidden size ${inputSize}, ${layer(layerIndex)}`],
      ['threshold', `${defaultThreshold}, unless the pair or the caller says otherwise`],
    ],
    problems: [],
  };
}

function layer(index: number | null): string {
  return index === null || index === -1 ? 'last layer' : `layer ${index} of its hidden states`;
}
