// Holds the C++ to the layer map: which room may include which, which outside headers belong to one room alone, and that CMake
// compiles every source. `--compile` also compiles each header by itself. `--root=DIR` checks another tree.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { compile: { type: 'boolean' }, root: { type: 'string' } } });
const root = values.root ?? fileURLToPath(new URL('..', import.meta.url));

/** What each room of native/ may include besides itself. */
const rooms = {
  engine: [],
  model: ['engine'],
  router: ['model', 'engine'],
  cpu: ['router'],
  train: ['cpu', 'router', 'model', 'engine'],
  cuda: ['model', 'router', 'engine'],
  ort: ['train', 'cpu', 'model', 'router', 'engine'],
  addon: ['ort', 'cuda', 'train', 'engine', 'model', 'router', 'cpu'],
};

/** Outside headers that only these folders may include. */
const outside = [
  { header: /^(napi|napi-inl|node_api|js_native_api|uv|v8|node)\.h$/, folders: ['native/addon/'] },
  { header: /onnxruntime/, folders: ['test/native/ort/'] },
  { header: /^cu(da|blas|dnn|rand)/, folders: ['native/cuda/', 'test/native/cuda/'] },
];

const problems = [];
const sources = [...files('native'), ...files('test/native')];
for (const file of sources) checkIncludes(file);
for (const file of sources) checkListed(file);
const toolkit = values.compile ? cudaHeaders() : [];
if (values.compile) for (const file of sources) if (file.endsWith('.h')) compileAlone(file);

for (const problem of problems) console.error(problem);
console.log(`${sources.length} native files checked, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;

function files(folder) {
  const at = join(root, folder);
  if (!existsSync(at)) return [];
  return readdirSync(at, { recursive: true })
    .map((file) => `${folder}/${file}`)
    .filter((file) => /\.(h|cc|cu|cuh)$/.test(file))
    .sort();
}

function checkIncludes(file) {
  const text = readFileSync(join(root, file), 'utf8');
  for (const [index, line] of text.split('\n').entries()) {
    const include = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line);
    if (!include) continue;
    const why = include[1] === '"' ? whyNotOurs(file, include[2]) : whyNotTheirs(file, include[2]);
    if (why) problems.push(`${file}:${index + 1}: ${why}`);
  }
}

/** Why `file` may not include "header", or null. */
function whyNotOurs(file, header) {
  const home = ['native', ...(file.startsWith('test/') ? ['test/native'] : [])].find((base) =>
    existsSync(join(root, base, header)),
  );
  if (!home)
    return whyNotTheirs(file, header) ?? `"${header}" is not a header of ours (includes are rooted at native/)`;
  if (file.startsWith('test/')) return null;
  const [, from] = file.split('/');
  const [to] = header.split('/');
  if (!(from in rooms)) return `native/${from} is not a room of the layer map`;
  if (from === to || rooms[from].includes(to)) return null;
  return `${from} may not include "${header}"; it may include: ${rooms[from].join(', ') || 'nothing of ours'}`;
}

function whyNotTheirs(file, header) {
  const fence = outside.find((one) => one.header.test(header));
  if (!fence || fence.folders.some((folder) => file.startsWith(folder))) return null;
  return `<${header}> belongs to ${fence.folders.join(' and ')} alone`;
}

/** Every source is in CMake's list of its room, or named by its path, so that no file lies about uncompiled and unchecked. */
function checkListed(file) {
  if (!/\.(cc|cu)$/.test(file)) return;
  const test = file.startsWith('test/');
  const [room, ...rest] = file.split('/').slice(test ? 2 : 1);
  const own = test ? `test/native/${room}/CMakeLists.txt` : `native/${room}/CMakeLists.txt`;
  const lists = [test ? 'test/native/CMakeLists.txt' : 'CMakeLists.txt', own];
  const texts = lists.map((list) => join(root, list)).filter(existsSync);
  const words = (text) => text.split(/[\s()"]+/);
  const call = new RegExp(`saferoute_${test ? 'test' : 'room'}\\(${room}\\b[^)]*\\)`, 'g');
  const listed = texts.some((list) => {
    const text = readFileSync(list, 'utf8');
    const parts = list === join(root, own) ? [text] : (text.match(call) ?? []);
    return parts.some((part) => words(part).includes(rest.join('/'))) || words(text).includes(file);
  });
  if (!listed) problems.push(`${file}: not in the source list of ${room} (${lists.join(', ')})`);
}

/** A header must bring in what it needs. One of CUDA is left out where no toolkit is. */
function compileAlone(file) {
  if (toolkit.length === 0 && needsCuda(file)) return;
  const require = createRequire(import.meta.url);
  const addon = file.startsWith('native/addon/')
    ? [require('node-api-headers').include_dir, require('node-addon-api').include_dir]
    : [];
  const include = [join(root, 'native'), join(root, 'test', 'native'), ...addon].flatMap((dir) => ['-I', dir]);
  const system = toolkit.flatMap((dir) => ['-isystem', dir]);
  const flags = [
    '-std=c++20',
    '-fsyntax-only',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
  ];
  // Through standard input, since a header given as the main file warns about its own #pragma once.
  const { status, stderr } = spawnSync(process.env.CXX ?? 'c++', [...flags, ...include, ...system, '-x', 'c++', '-'], {
    input: `#include "${join(root, file)}"\n`,
    encoding: 'utf8',
  });
  if (status !== 0) problems.push(`${file}: does not compile alone\n${stderr}`);
}

/** Whether a header, or one of ours that it includes, includes one of CUDA's. */
function needsCuda(file, seen = new Set()) {
  if (seen.has(file)) return false;
  seen.add(file);
  const includes = [...readFileSync(join(root, file), 'utf8').matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)];
  return includes.some(([, quote, header]) => {
    if (quote === '<') return /^cu(da|blas)/.test(header);
    const home = ['native', 'test/native'].find((base) => existsSync(join(root, base, header)));
    return home !== undefined && needsCuda(`${home}/${header}`, seen);
  });
}

/** Folders of the headers of CUDA and cuBLASLt; none unless both are found. */
function cudaHeaders() {
  const { stderr } = spawnSync('nvcc', ['--dryrun', '-x', 'cu', '-c', '-'], { input: '', encoding: 'utf8' });
  const top = /^#\$ TOP=(.*)$/m.exec(stderr ?? '')?.[1].trim();
  if (top === undefined) return [];
  const cuda = join(top, 'include');
  const cublas = [
    process.env.SAFEROUTE_CUBLAS_INCLUDE ?? '',
    join(root, 'build', 'cublas-headers', 'include'),
    cuda,
  ].find((folder) => existsSync(join(folder, 'cublasLt.h')));
  return existsSync(join(cuda, 'cuda_runtime_api.h')) && cublas !== undefined ? [cuda, cublas] : [];
}
