// The process of one trial: opens contenders and runs what it is asked, one request after the other.
import type { Contender } from '../contenders/contender.js';
import { openContender } from '../contenders/open.js';
import { Unavailable } from '../unavailable.js';
import type { Answer, Request } from './messages.js';

const contenders: Contender[] = [];

async function answer(request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'open': {
      const startMs = performance.now();
      const contender = await openContender(request.setup);
      contenders.push(contender);
      return { kind: 'opened', facts: contender.facts, ms: performance.now() - startMs };
    }
    case 'run': {
      const contender = contenders[request.at];
      if (contender === undefined) throw new RangeError(`no contender was opened as number ${request.at}`);
      return { kind: 'sample', sample: await contender.run(request.work) };
    }
    case 'close':
      for (const contender of contenders) await contender.close();
      return { kind: 'closed' };
  }
}

process.on('message', (request: Request) => {
  answer(request).then(
    (reply) => process.send?.(reply, () => request.kind === 'close' && process.exit(0)),
    (cause: unknown) => {
      const message = cause instanceof Error ? cause.message : String(cause);
      process.send?.({ kind: 'failed', unavailable: cause instanceof Unavailable, message } satisfies Answer);
    },
  );
});
process.on('disconnect', () => process.exit(1)); // the bench is gone
