import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SaxesParser } from 'saxes';
import { escaped, Markup, markup } from '../../../lib/charts/markup.js';

describe('markup', () => {
  it('escapes text and keeps markup, lists and nothing apart', () => {
    const inner = markup`<b title="${'"'}">${'<&>'}</b>`;
    const whole = markup`${inner}${[1, 'a<', [inner]]}${null}${false}`;
    assert.equal(whole.text, `${inner.text}1a&lt;${inner.text}`);
    assert.equal(inner.text, '<b title="&quot;">&lt;&amp;&gt;</b>');
  });

  it('takes an object that looks like markup for none', () => {
    const forged = { text: '<script>' } as unknown as Markup;
    assert.throws(() => markup`${[forged]}`.text, TypeError);
    assert.ok(new Markup('<i>') instanceof Markup);
  });

  it('spells out what does not show, turns text round or is not XML', () => {
    assert.equal(escaped('a\u0000b\u202ec\u2028d'), 'a\\u{0}b\\u{202e}c\\u{2028}d');
    assert.equal(escaped('\uffff\ud800'), '\\u{ffff}\ufffd');
    assert.equal(escaped('line\n\ttab, Tiếng Việt, 👩‍🚀'), 'line\n\ttab, Tiếng Việt, 👩‍🚀');
  });

  it('makes well-formed XML of any text', () => {
    const every = `${Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join('')}]]>`;
    const parser = new SaxesParser();
    const seen: string[] = [];
    parser.on('error', (error) => assert.fail(error));
    parser.on('text', (text) => seen.push(text));
    parser.write(markup`<a b="${every}">${every}</a>`.text).close();
    assert.ok(seen.join('').endsWith(']]>'));
  });
});
