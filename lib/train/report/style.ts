/** The page's style sheet and its one script. Both are inline, and their hashes are all that the page allows to run. */

import { createHash } from 'node:crypto';
import { darkStyle, kPalette } from '../../charts/palette.js';

const kVariables = (ground: 'light' | 'dark') =>
  Object.entries(kPalette)
    .map(([name, colours]) => `--${name}:${colours[ground]}`)
    .join(';');

export const kStyle = `
:root{color-scheme:light dark;${kVariables('light')};--wash:#f5f6f8}
@media screen and (prefers-color-scheme:dark){:root{${kVariables('dark')};--wash:#1f2429}}
${darkStyle()}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
header,main,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:32px}
h1{font-size:1rem;font-weight:600;color:var(--muted);margin:0;overflow-wrap:anywhere}
h2{font-size:1.45rem;line-height:1.25;margin:0 0 .5rem;text-wrap:balance}
h3{font-size:1rem;margin:0 0 .25rem;overflow-wrap:anywhere}
p{max-width:76ch;margin:.3rem 0 1rem}
section{margin:0 0 44px}
a{color:var(--blue)}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
nav ul{list-style:none;padding:0;margin:12px 0 28px;display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9rem}
nav a{display:inline-block;padding:4px 0}
.headline h2{font-size:clamp(1.5rem,3.4vw,2.1rem);margin-bottom:20px;max-width:30em}
.plain{max-width:88ch;padding-left:1.1em;margin:20px 0 0}
.plain li{margin:.35rem 0}
.hurts{color:var(--red)}
.helps{color:var(--green)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,225px),1fr));gap:12px;margin:0}
.tile{background:var(--wash);border-radius:8px;padding:14px 16px}
.tile dt{font-size:.85rem;color:var(--muted)}
.tile dd{margin:0;display:flex;flex-wrap:wrap;align-items:baseline;gap:0 10px}
.tile b{font-size:1.8rem;line-height:1.3;font-variant-numeric:tabular-nums}
.tile span{font-size:.85rem;color:var(--muted)}
.scroll{overflow-x:auto;margin:0 0 16px}
table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
th,td{padding:6px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid);vertical-align:top}
th:first-child{text-align:left;padding-left:0}
thead th{font-weight:600;color:var(--muted);border-bottom:1px solid var(--axis);white-space:nowrap;vertical-align:bottom}
tbody th{font-weight:400}
.scroll tbody th{position:sticky;left:0;background:var(--paper)}
tbody tr.force{background:var(--wash)}
.scroll tbody tr.force th{font-weight:600;background:var(--wash)}
tbody tr.aside{color:var(--muted)}
td.words,th.words{text-align:left}
td.words{white-space:normal;min-width:7em}
th.name{text-align:left;overflow-wrap:anywhere;white-space:normal;min-width:9em}
em{font-style:normal;color:var(--muted);font-size:.8rem;font-weight:400}
.best{text-decoration:underline;text-decoration-thickness:2px;text-underline-offset:3px}
.rule{display:inline-flex;align-items:center;gap:8px;white-space:nowrap}
.rule svg{width:28px;height:12px;flex:none}
.legend{list-style:none;padding:0;margin:0 0 12px;display:flex;flex-wrap:wrap;gap:4px 20px;font-size:.875rem}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,320px),1fr));gap:24px 28px;align-items:start}
.wide{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:24px 36px;margin-bottom:28px}
figure{margin:0;min-width:0;break-inside:avoid}
figure svg{display:block;width:100%;height:auto}
figcaption{font-weight:600;font-size:.9rem;overflow-wrap:anywhere}
figcaption span{display:block;font-weight:400;color:var(--muted);font-size:.8rem}
.none{color:var(--muted);font-size:.9rem}
details{border-top:1px solid var(--grid);padding:8px 0}
details>.scroll,details>p{margin-top:10px}.narrow{max-width:640px;margin-top:20px}.later{margin-top:28px}.grid+.grid{margin-top:24px}
summary{cursor:pointer;font-weight:600;font-size:.95rem;padding:4px 0;overflow-wrap:anywhere}
.matrices{display:flex;flex-wrap:wrap;gap:16px 28px;margin-bottom:24px}
.matrix caption{text-align:left;font-size:.85rem;color:var(--muted);padding-bottom:2px}
.matrix td{min-width:5.2em}
.matrix td span{display:block;color:var(--muted);font-size:.78rem}
.matrix .wrong{background:var(--wash)}
code{font-family:ui-monospace,"SFMono-Regular",Menlo,"Liberation Mono",monospace;font-size:.85em;overflow-wrap:anywhere}
pre{font:inherit;white-space:pre-wrap;overflow-wrap:anywhere;text-align:left;margin:0;min-width:18em;max-width:60ch}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;font-size:.9rem;margin:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
.terms{display:grid;grid-template-columns:15em minmax(0,80ch);gap:10px 24px;margin:0 0 24px}
.terms dt{font-weight:600}
.terms dd{margin:0}
footer{border-top:1px solid var(--grid);padding-top:16px;padding-bottom:40px;color:var(--muted);font-size:.85rem}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(max-width:600px){.terms{display:block}.terms dd{margin-bottom:12px}header,main,footer{padding-left:16px;padding-right:16px}.facts{grid-template-columns:1fr;gap:0}.facts dd{margin-bottom:8px}th,td{padding:6px 9px}}
@media print{@page{margin:14mm}body{font-size:10.5pt}header,main,footer{max-width:none;padding-left:0;padding-right:0}nav{display:none}.scroll{overflow:visible}table{font-size:7.5pt}th,td{padding:2px 4px}tr{break-inside:avoid}thead,details>summary{break-after:avoid}.scroll tbody th{position:static}.grid{grid-template-columns:repeat(3,1fr)}.wide{grid-template-columns:1fr 1fr}h2,h3,figcaption{break-after:avoid}}
`;

/** Paper has no clicks: what is folded away on a screen is printed. */
export const kScript = `
addEventListener('beforeprint',()=>{for(const one of document.querySelectorAll('details:not([open])')){one.open=true;one.dataset.folded=''}});
addEventListener('afterprint',()=>{for(const one of document.querySelectorAll('details[data-folded]')){one.open=false;delete one.dataset.folded}});
`;

/** Nothing is loaded, nothing but these two texts is heeded, whatever a set or a row is called. */
export const kContentPolicy = `default-src 'none'; style-src '${hash(kStyle)}'; script-src '${hash(kScript)}'; base-uri 'none'; form-action 'none'`;

function hash(content: string): string {
  return `sha256-${createHash('sha256').update(content).digest('base64')}`;
}
