// Labels rows with the embedded pair and says what came of it. With two arguments more, such as "labelling 130", the process kills itself as soon
// as it has come so far, with whatever it has under way.
import { createRequire } from 'node:module';

const { label } = createRequire(import.meta.url)('../../../dist/train/index.js');
const [data, output, last, least] = process.argv.slice(2);

const { rows, resumed } = await label({
  data,
  output,
  onProgress: ({ stage, done }) => {
    if (stage === last && done >= Number(least)) process.kill(process.pid, 'SIGKILL');
  },
});
process.stdout.write(`labelled ${rows} resumed ${resumed}\n`);
