// Builds the addon into build/Release and the TypeScript into dist. `--addon` builds the addon alone: binding.gyp calls it so.
// SAFEROUTE_CUDA=off|on|auto in the environment says whether the CUDA part is built with it (auto where nothing is said).
import { spawnSync } from 'node:child_process';
import { renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const require = createRequire(import.meta.url);

/** Runs a tool's script with this Node and ends the build with its exit code if it fails. */
function run(script, args) {
  const { status, error } = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

function buildAddon() {
  const cuda = process.env.SAFEROUTE_CUDA;
  const options = [
    '--log-level=warn',
    '--config=Release',
    // CMake's own files stay out of build/ itself, where node-gyp keeps its Makefile when it is the one that called.
    `--out=${join(root, 'build', 'cmake')}`,
    `--CDCMAKE_LIBRARY_OUTPUT_DIRECTORY=${join(root, 'build', 'Release')}`,
    // A new compiler's new warning must not keep people from installing; CI heeds it.
    `--CDSAFEROUTE_WERROR=${process.env.CI ? 'ON' : 'OFF'}`,
    `--parallel=${availableParallelism()}`,
    ...(cuda ? [`--CDSAFEROUTE_CUDA=${cuda}`] : []),
  ];
  const cmakeJs = require.resolve('cmake-js/bin/cmake-js');
  // A build alone takes the options of the last configuration.
  if (cuda) run(cmakeJs, ['configure', ...options]);
  run(cmakeJs, ['build', ...options]);
}

/** Compiles beside dist and then takes its place, so that dist holds no file of an earlier build and is whole at any moment. */
function buildLibrary() {
  const dist = join(root, 'dist');
  const fresh = join(root, 'build', `dist-${process.pid}`);
  run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ['--project', 'tsconfig.json', '--outDir', fresh]);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
}

buildAddon();
if (!process.argv.includes('--addon')) buildLibrary();
