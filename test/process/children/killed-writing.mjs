// Preloaded into a command: kills its process at one byte of one of its files, half way through a write. SAFEROUTE_TEST_KILL is "<ending of the
// file's name>:<bytes of it that are written first>".
import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';

const [ending, room] = process.env.SAFEROUTE_TEST_KILL.split(':');
const { open } = promises;
let written = 0;

promises.open = async (path, ...rest) => {
  const file = await open(path, ...rest);
  if (!String(path).endsWith(ending)) return file;
  const { write, writeFile } = file;
  file.write = (bytes, offset, length, position) => {
    count(file.fd, bytes.subarray(offset, offset + length), position);
    return write.call(file, bytes, offset, length, position);
  };
  file.writeFile = (bytes) => {
    count(file.fd, bytes, null);
    return writeFile.call(file, bytes);
  };
  return file;
};

function count(fd, bytes, position) {
  const left = Number(room) - written;
  written += bytes.length;
  if (written < Number(room)) return;
  writeSync(fd, bytes, 0, left, position);
  process.kill(process.pid, 'SIGKILL');
}
