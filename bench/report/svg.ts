// The few SVG elements that the charts are made of, as text.

export interface Place {
  x: number;
  y: number;
}

export function text(
  place: Place,
  content: string,
  style: { size?: number; anchor?: 'start' | 'middle' | 'end'; fill?: string } = {},
): string {
  const { size = 12, anchor = 'start', fill = '#333' } = style;
  return `<text x="${round(place.x)}" y="${round(place.y)}" font-size="${size}" text-anchor="${anchor}" fill="${fill}">${escapeXml(content)}</text>`;
}

export function rect(place: Place, width: number, height: number, fill: string): string {
  return `<rect x="${round(place.x)}" y="${round(place.y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"/>`;
}

export function line(from: Place, to: Place, stroke: string): string {
  return `<line x1="${round(from.x)}" y1="${round(from.y)}" x2="${round(to.x)}" y2="${round(to.y)}" stroke="${stroke}"/>`;
}

/** A drawing of `width` × `height` on white. */
export function drawing(width: number, height: number, title: string, elements: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escapeXml(title)}</title>`,
    rect({ x: 0, y: 0 }, width, height, '#fff'),
    ...elements,
    '</svg>',
    '',
  ].join('\n');
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escapeXml(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
