// Builds the native tests (GoogleTest) and runs them with ctest.
// `--sanitize=address,undefined` instruments everything but the CUDA sources; `--headers=DIR` is the folder of the official ONNX Runtime
// headers. SAFEROUTE_CUDA=off|on|auto in the environment says whether the tests of the CUDA part are built (auto where nothing is said);
// SAFEROUTE_CUDA_ARCHITECTURES, for which GPUs, as CMake names them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { sanitize: { type: 'string' }, headers: { type: 'string' } } });
const folder = join(root, 'build', values.sanitize ? 'native-sanitized' : 'native');
const architectures = process.env.SAFEROUTE_CUDA_ARCHITECTURES;
const jobs = String(availableParallelism());

if (values.headers && !existsSync(join(values.headers, 'onnxruntime_c_api.h'))) {
  console.error(`--headers: ${values.headers} has no onnxruntime_c_api.h`);
  process.exit(1);
}
const configured = existsSync(join(folder, 'CMakeCache.txt'));
const ninja = spawnSync('ninja', ['--version']).status === 0;
run('cmake', [
  ...['-S', root, '-B', folder, ...(ninja && !configured ? ['-G', 'Ninja'] : [])],
  '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
  '-DSAFEROUTE_ADDON=OFF',
  '-DSAFEROUTE_TESTS=ON',
  `-DSAFEROUTE_SANITIZE=${values.sanitize ?? ''}`,
  `-DSAFEROUTE_ORT_HEADERS=${values.headers ?? ''}`,
  `-DSAFEROUTE_CUDA=${process.env.SAFEROUTE_CUDA || 'auto'}`,
  ...(architectures ? [`-DSAFEROUTE_CUDA_ARCHITECTURES=${architectures}`] : []),
]);
run('cmake', ['--build', folder, '--parallel', jobs]);
run('ctest', ['--test-dir', folder, '--output-on-failure', '--no-tests=error', '--parallel', jobs]);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
