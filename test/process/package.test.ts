// What `npm pack` makes must install and work where there is neither a compiler nor this checkout: in an ESM and in a CommonJS project.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';

const kRoot = resolve(__dirname, '../..');
const kTsc = join(kRoot, 'node_modules/typescript/bin/tsc');
const kPlatform = `${process.platform}-${process.arch}`;

const kBody = `
  const saferoute = await SafeRoute.load();
  const verdict = await saferoute.check('How do I bake bread?');
  await saferoute.close();
  console.log(JSON.stringify(verdict));`;
const kEsm = `import { SafeRoute } from 'saferoute';${kBody}`;
const kCommonJs = `const { SafeRoute } = require('saferoute');(async () => {${kBody}})();`;
const kUnsupported = `
  (async () => {
    const { SafeRoute } = require('saferoute');
    await SafeRoute.load();
  })().catch((error) => console.log(JSON.stringify({ code: error.code, message: error.message })));`;
const kTypes = `
  import { SafeRoute, type Verdict } from 'saferoute';
  import { train, type TrainSummary } from 'saferoute/train';
  export const learn = (features: string): Promise<TrainSummary> => train(features, { output: 'router.safetensors' });
  export async function label(text: string): Promise<Verdict['label']> {
    const saferoute = await SafeRoute.load();
    const verdict = await saferoute.check(text);
    // @ts-expect-error: a verdict has no such field, so the types are really read
    verdict.certainty;
    await saferoute.close();
    return verdict.label;
  }`;

/** This process's environment without what an npm around it says of its own project. */
const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));

interface Packed {
  filename: string;
  files: { path: string; size: number }[];
}

describe('the packed package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'saferoute-package-'));
  const bin = join(folder, 'bin');
  const esm = join(folder, 'esm');
  const commonJs = join(folder, 'commonjs');
  let packed: Packed;

  before(() => {
    const output = run('npm', ['pack', '--json', `--pack-destination=${folder}`], kRoot, outside);
    packed = JSON.parse(output.slice(output.search(/^\[$/m)))[0];
    toolsWithoutCompilers();
    for (const [project, type] of [
      [esm, 'module'],
      [commonJs, 'commonjs'],
    ] as const) {
      mkdirSync(project);
      writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type }));
      run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, packed.filename)], project);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A PATH that holds Node, npm and a shell, and so neither CMake nor a compiler. */
  function toolsWithoutCompilers(): void {
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    for (const tool of ['npm', 'sh', 'env']) symlinkSync(which(tool), join(bin, tool));
    for (const tool of ['cmake', 'c++', 'g++', 'cc', 'make']) assert.ok(!existsSync(join(bin, tool)));
  }

  function run(command: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = bare()): string {
    const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
    assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
    return stdout;
  }

  function bare(): NodeJS.ProcessEnv {
    return { ...outside, PATH: bin };
  }

  it('holds the build, the models, the licences, and nothing that would build or run at install', () => {
    const paths = packed.files.map(({ path }) => path);
    for (const path of [
      'dist/index.js',
      'dist/index.mjs',
      'dist/index.d.ts',
      'dist/index.d.mts',
      'dist/train/index.js',
      'dist/train/index.mjs',
      'dist/train/index.d.ts',
      'dist/train/index.d.mts',
      'dist/cli/main.js',
      'models/tiny/saferoute.json',
      'models/tiny/small/model.safetensors',
      'models/tiny/examples.jsonl',
      'licenses/onnxruntime/LICENSE',
      'LICENSE',
      'THIRD_PARTY_NOTICES.md',
      'README.md',
      'CHANGELOG.md',
    ]) {
      assert.ok(paths.includes(path), `${path} is missing from ${paths.join('\n')}`);
    }
    const prebuilt = paths.filter((path) => path.startsWith(`prebuilds/${kPlatform}/`));
    assert.ok(
      prebuilt.some((path) => path.endsWith('.glibc.node')),
      'the addon, tagged with its C library',
    );
    assert.ok(
      prebuilt.some((path) => path.endsWith('/libsaferoute-ort.so')),
      'the private library',
    );
    const stray = paths.filter((path) =>
      /^(native|lib|test|bench|scripts|build|models\/recipe|binding\.gyp)/.test(path),
    );
    assert.deepEqual(stray, []);
    const { scripts } = JSON.parse(readFileSync(join(esm, 'node_modules/saferoute/package.json'), 'utf8'));
    for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[name], undefined);
  });

  it('leaves no prebuild behind in the checkout', () => assert.ok(!existsSync(join(kRoot, 'prebuilds'))));

  it('brings no onnxruntime-node along', () => assert.ok(!existsSync(join(esm, 'node_modules/onnxruntime-node'))));

  for (const [name, project, source] of [
    ['ESM', esm, kEsm],
    ['CommonJS', commonJs, kCommonJs],
  ] as const) {
    it(`gives a verdict in an empty ${name} project`, () => {
      writeFileSync(join(project, 'check.js'), source);
      const verdict = JSON.parse(run('node', ['check.js'], project));
      assert.match(verdict.label, /^(safe|unsafe)$/);
      assert.ok(verdict.score >= 0 && verdict.score <= 1);
    });
  }

  it("runs the README's example", () => {
    const [, example] = /^```js\n(.*?)^```/ms.exec(readFileSync(join(kRoot, 'README.md'), 'utf8')) ?? [];
    assert.ok(example, 'README.md has an example');
    writeFileSync(join(esm, 'example.js'), example);
    run('node', ['example.js'], esm);
  });

  it('has the second entry in both module systems', () => {
    writeFileSync(join(esm, 'train.js'), "import { train } from 'saferoute/train'; console.log(typeof train);");
    writeFileSync(join(commonJs, 'train.js'), "console.log(typeof require('saferoute/train').train);");
    for (const project of [esm, commonJs]) assert.equal(run('node', ['train.js'], project), 'function\n');
  });

  it('runs its command', () => {
    const version = run(join(esm, 'node_modules/.bin/saferoute'), ['--version'], esm);
    assert.equal(version.trim(), JSON.parse(readFileSync(join(kRoot, 'package.json'), 'utf8')).version);
  });

  for (const [module, moduleResolution] of [
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ]) {
    for (const project of [esm, commonJs]) {
      it(`has types under ${moduleResolution} in ${project === esm ? 'an ESM' : 'a CommonJS'} project`, () => {
        writeFileSync(join(project, 'types.ts'), kTypes);
        const lib = 'es2023,dom,esnext.disposable';
        const flags = ['--noEmit', '--strict', '--types', '', '--target', 'es2022', '--lib', lib];
        run(
          'node',
          [kTsc, ...flags, '--module', `${module}`, '--moduleResolution', `${moduleResolution}`, 'types.ts'],
          project,
        );
      });
    }
  }

  it('says so on a platform that it has no binary for', () => {
    writeFileSync(join(commonJs, 'unsupported.js'), kUnsupported);
    const musl = JSON.parse(run('node', ['unsupported.js'], commonJs, { ...bare(), LIBC: 'musl' }));
    assert.equal(musl.code, 'ERR_UNSUPPORTED');
    assert.match(musl.message, new RegExp(`no binary for ${kPlatform}`));
  });
});

function which(tool: string): string {
  const folders = [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)];
  const found = folders.map((folder) => join(folder, tool)).find((path) => existsSync(path));
  assert.ok(found, `${tool} is not on the PATH`);
  return found;
}
