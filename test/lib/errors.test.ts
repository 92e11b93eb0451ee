// What errors say of values that callers passed.
import assert from 'node:assert/strict';
import { it, describe as suite } from 'node:test';
import { describe } from '../../lib/errors.js';
import { unknownName } from '../../lib/nearest-name.js';

const kShown: [unknown, string][] = [
  ['plain', "'plain'"],
  ['x'.repeat(40), `'${'x'.repeat(40)}'`],
  ['x'.repeat(41), `'${'x'.repeat(40)}…'`],
  ['two\nlines, \u001b[31mred', "'two\\u000alines, \\u001b[31mred'"],
  [null, 'null'],
  [undefined, 'undefined'],
  [Number.NaN, 'NaN'],
  [12n, '12'],
  [Symbol('a'), 'Symbol(a)'],
  [[1, 2], 'an array of 2'],
  [new Map(), 'an instance of Map'],
  [Object.create(null), 'an instance of Object'],
  [() => {}, 'a function'],
];

suite('a value in an error', () => {
  for (const [value, shown] of kShown) it(`is ${shown}`, () => assert.equal(describe(value), shown));
});

suite('a name that is not known', () => {
  it('is told with those that are, and with the one that was probably meant', () => {
    const known = ['threshold', 'window'];
    assert.equal(unknownName('x', known), "'x' is not known (known: threshold, window)");
    assert.match(unknownName('treshold', known), /; did you mean 'threshold'\?$/);
    assert.match(unknownName('a\nb', known), /^'a\\u000ab' is not known/);
  });
});
