// Labels rows with the embedded pair, says on a line of its own what each step of the progress is, and in the end what came of it.
import { createRequire } from 'node:module';

const { label } = createRequire(import.meta.url)('../../../dist/train/index.js');
const [data, output] = process.argv.slice(2);

const { rows, resumed } = await label({
  data,
  output,
  onProgress: ({ stage, done }) => process.stdout.write(`${stage} ${done}\n`),
});
process.stdout.write(`labelled ${rows} resumed ${resumed}\n`);
