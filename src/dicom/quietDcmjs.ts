/**
 * dcmjs with its mouth shut: what it says of elements that it dislikes may quote them. It is the instance that
 * dcmjs-dimse and dcmjs-codecs load, which is another one than an import gives.
 */
import { createRequire } from 'node:module';
import type dcmjsModule from 'dcmjs';

const dcmjs = createRequire(import.meta.url)('dcmjs') as typeof dcmjsModule;

for (const logger of [dcmjs.log, ...Object.values(dcmjs.log.getLoggers())]) logger.setLevel('silent');

export { dcmjs };
