import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../../lib/cli/exit.js';
import { progressText, summaryFacts } from '../../../lib/cli/train.js';
import { parseTrainArguments } from '../../../lib/cli/train-arguments.js';

describe('parseTrainArguments', () => {
  it('leaves what is not said to train itself', () => {
    const { help, features, options } = parseTrainArguments(['f.safetensors', '-o', 'r.safetensors']);
    assert.deepEqual([help, features, options], [false, 'f.safetensors', { output: 'r.safetensors' }]);
    assert.equal(parseTrainArguments(['--help']).help, true);
  });

  it('reads every flag', () => {
    const flags = 'f --output r --recipe benefit --seed 7 --epochs 20 --valid-share 0.25 --threads 1';
    assert.deepEqual(parseTrainArguments(flags.split(' ')).options, {
      output: 'r',
      recipe: 'benefit',
      seed: 7,
      epochs: 20,
      validShare: 0.25,
      threads: 1,
    });
  });

  it('refuses what makes no sense, naming flag, value and limit', () => {
    const refused = (line: string, message: RegExp) =>
      assert.throws(
        () => parseTrainArguments(line.split(' ')),
        (error: Error) => error instanceof UsageError && message.test(error.message),
      );
    refused('-o r', /takes one features file/);
    refused('f g -o r', /takes one features file/);
    refused('f', /needs -o/);
    refused('f -o r --recipe best', /--recipe must be one of official, dynaguard, benefit, got 'best'/);
    refused('f -o r --seed 0.5', /--seed must be a whole number, got '0.5'/);
    refused('f -o r --epochs 0', /--epochs must be a number from 1 to 1000000, got '0'/);
    refused('f -o r --valid-share 1', /--valid-share must be a number from 0 to 0.9, got '1'/);
    refused('f -o r --threads many', /--threads must be a number from 1 to 1024, got 'many'/);
  });
});

describe('saferoute train tells', () => {
  const progress = { learningRate: 1e-3, resumed: false, secondsLeft: 270.2 };

  it('how far it is', () => {
    const far = { ...progress, epoch: 12, epochs: 1000, loss: 0.31214, validAuprc: 0.6429 };
    assert.equal(progressText(far), 'epoch 12 of 1,000 · loss 0.3121 · validation AUPRC 0.643 · 5 min left');
    assert.doesNotMatch(progressText({ ...far, validAuprc: null }), /AUPRC/);
  });

  it('what it came to', () => {
    const valid = { rows: 100, hard: 9, auprc: 0.5, f1: 0.44, precision: 0.4, recall: null, escalated: 0.2 };
    const summary = { path: '/r', recipe: 'dynaguard', threshold: 0.6, rows: 1000, hard: 85, trainRows: 900 } as const;
    const { lines } = summaryFacts({ ...summary, epochs: 130, keptEpoch: 30, resumed: true, valid });
    assert.deepEqual(lines, [
      ['recipe', 'dynaguard'],
      ['rows', '1,000, 8.5 % hard, 900 learnt from'],
      ['epochs', '130, the weights of epoch 30 kept, after an interruption'],
      ['validation', '100 rows, 9 hard: AUPRC 0.500'],
      ['routing', 'above 0.6: F1 0.440, precision 0.400, recall –, 20.0 % escalated'],
    ]);
    const unjudged = summaryFacts({ ...summary, epochs: 5, keptEpoch: 5, resumed: false, valid: null });
    assert.deepEqual(unjudged.lines.slice(2), [
      ['epochs', '5'],
      ['validation', null],
      ['routing', null],
    ]);
  });
});
