/** A page as a browser's parser sees it: what tests ask of elements, attributes and text. */
import assert from 'node:assert/strict';
import { type DefaultTreeAdapterTypes, type ParserError, parse } from 'parse5';

type Node = DefaultTreeAdapterTypes.Node;
export type Element = DefaultTreeAdapterTypes.Element;

/** Fails where the parser finds any error. */
export function parsePage(html: string): Node {
  const errors: ParserError[] = [];
  const document = parse(html, { onParseError: (error) => errors.push(error), sourceCodeLocationInfo: true });
  assert.deepEqual(
    errors.map(({ code, startLine }) => `${code} in line ${startLine}`),
    [],
  );
  return document;
}

/** All elements below, in the order of the page. */
export function elements(node: Node, name?: string): Element[] {
  const children = 'childNodes' in node ? node.childNodes : [];
  return children.flatMap((child) => {
    const below = elements(child, name);
    return 'tagName' in child && (name === undefined || child.tagName === name) ? [child, ...below] : below;
  });
}

export function attribute(element: Element, name: string): string | null {
  return element.attrs.find((one) => one.name === name)?.value ?? null;
}

export function byId(node: Node, id: string): Element {
  const found = elements(node).filter((element) => attribute(element, 'id') === id);
  assert.equal(found.length, 1, `${found.length} elements with the id '${id}'`);
  return found[0] as Element;
}

export function textOf(node: Node): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** The table of that caption: a list of texts for each row. */
export function tableOf(node: Node, caption: string): string[][] {
  const table = elements(node, 'table').find((one) => elements(one, 'caption').some((it) => textOf(it) === caption));
  assert.ok(table, `no table '${caption}'`);
  return elements(table, 'tr').map((row) =>
    elements(row)
      .filter(({ tagName }) => tagName === 'td' || tagName === 'th')
      .map((cell) => textOf(cell).trim()),
  );
}
