/** A node that takes a job and never ends it, to be killed. Says `taken` when it has it. Parameters: URL of Redis, prefix. */
import { openBullJobs } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import { testLimits } from './testLimits.js';

const [, , redisUrl, prefix] = process.argv;
const queue = await openBullJobs({ redisUrl: redisUrl!, prefix: prefix!, node: 'doomed', limits: testLimits(), log: createLog('silent', { write: () => undefined }) });
queue.perform('reconstruct', () => {
  process.stdout.write('taken\n');
  return new Promise(() => undefined);
});
queue.start();
