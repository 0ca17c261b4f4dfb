/** Answers to Gadgetron's QUERY messages. */
import { knownConfigNames } from '../chain/index.js';
import { MRD_PROTOCOL_VERSION, VERSION } from '../version.js';

const answers: Readonly<Record<string, string>> = {
  'gadgetron::version': `Conus ${VERSION}, which answers in Gadgetron's place`,
  'gadgetron::info': [`Conus ${VERSION}`, 'research software', `configs: ${knownConfigNames.join(', ')}`].join('\n'),
  'ismrmrd::version': MRD_PROTOCOL_VERSION,
};

export function answerQuery(query: string): string {
  const known = Object.hasOwn(answers, query) ? answers[query] : undefined;
  return known ?? `unknown query ${JSON.stringify(query.slice(0, 80))}; known: ${Object.keys(answers).join(', ')}`;
}
