/** dcmjs with its mouth shut: what it says of elements that it dislikes may quote them. */
import dcmjs from 'dcmjs';

for (const logger of [dcmjs.log, ...Object.values(dcmjs.log.getLoggers())]) logger.setLevel('silent');

export { dcmjs };
