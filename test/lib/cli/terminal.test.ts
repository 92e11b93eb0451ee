import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { tableHead, tableRow } from '../../../lib/cli/table.js';
import { bytes, duration, fit, painter } from '../../../lib/cli/terminal.js';

describe('terminal text', () => {
  it('paints on a terminal with colours and nowhere else', () => {
    assert.equal(painter({ isTTY: true, hasColors: () => true })('red', 'x'), '\u001b[31mx\u001b[39m');
    assert.equal(painter({ isTTY: true, hasColors: () => false })('red', 'x'), 'x');
    assert.equal(painter({})('red', 'x'), 'x');
  });

  it('cuts text to one line of the width, by characters', () => {
    assert.equal(fit('a\n  b', 10), 'a b');
    assert.equal(fit('😀😀😀', 3), '😀😀😀');
    assert.equal(fit('😀😀😀😀', 3), '😀😀…');
    assert.equal(fit('abc', 1), '…');
  });

  it('writes bytes in the unit that fits', () => {
    assert.deepEqual([0, 1023, 1536, 3 * 1024 ** 3].map(bytes), ['0 B', '1023 B', '1.5 KiB', '3.0 GiB']);
  });

  it('writes durations in whole units, rounded up', () => {
    assert.deepEqual([0.2, 59, 60, 3599, 3601, 7200].map(duration), [
      '1 s',
      '59 s',
      '1 min',
      '1 h 0 min',
      '1 h 1 min',
      '2 h 0 min',
    ]);
  });

  it('aligns a table, painted cells too', () => {
    const columns = [
      { title: 'id', width: 4, align: 'left' as const },
      { title: 'ms', width: 5, align: 'right' as const },
    ];
    assert.deepEqual(tableHead(columns), ['id       ms', '────  ─────']);
    const painted = { text: '9.5', paint: (text: string) => `<${text}>` };
    assert.equal(tableRow(columns, ['longer', painted]), 'lon…  <  9.5>');
  });
});
