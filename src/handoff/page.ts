/** docs/handoff.md, from the contract. */
import { schemaTables, type JsonSchema } from '../schemaTables.js';
import { handoffJsonSchemas, HANDOFF_VERSION } from './contract.js';
import { defaultOfferLimits } from './offerState.js';

export function handoffPage(): string {
  const { offer, answer, outcome } = handoffJsonSchemas();
  const { answerTimeoutMs, outcomeTimeoutMs, mostAttempts, firstPauseMs, longestPauseMs, longestWaitMs } = defaultOfferLimits;
  return [
    '# The hand-off of finished exams',
    '',
    'Written by `conus handoff schema --markdown`; do not edit. `conus handoff schema` prints the same as JSON Schema.',
    '',
    `Version ${HANDOFF_VERSION} of the contract. A finished exam is offered to a downstream stage, which segments, measures, grades,`,
    'or does whatever a site wants done. The stage answers at once that it takes the exam (`accepted`), that it has no',
    'time (`busy`), or that it will not have it (`refused`, with a reason); later it sends one outcome: `done` with',
    'results, or `failed` with a reason. The exam is delivered all the same, whatever the stage does. Conus is research',
    'software, and so is what a stage makes of its images.',
    '',
    '## Three ways',
    '| way | the offer | the images | the outcome |',
    '|---|---|---|---|',
    '| HTTP | is POSTed to the URL of the stage, with the header `Idempotency-Key`; status 200 and an answer as JSON, or 429 or 503 with `Retry-After` for busy | by the links in the offer, DICOM files and NIfTI volumes | is POSTed to `callback.location` |',
    '| folder | `OFFERID/offer.json`; the empty file `OFFERID/READY` is written last | files in the same folder, named in the offer | `OFFERID/outcome.json` and the files it names, then the empty file `OFFERID/DONE`, last; `OFFERID/answer.json` before that to be busy or to refuse, else the offer counts as accepted |',
    '| DICOM node | none | C-STORE | objects of the same study stored at the node of Conus, under the AE title of the stage |',
    '',
    'Links and callback want the token of the offer as a bearer token. It opens this one offer and nothing else.',
    '',
    '## What a stage can rely on, and what it has to do',
    '- `offerId` is the idempotency key. An offer may come more than once: after a time-out, after a restart of either side.',
    '  It then has the same `offerId` and another `attempt`. A stage that is at work on it answers `accepted` again.',
    `- Without an answer within ${answerTimeoutMs / 1000} s, or with one that does not fit the schema, the offer is made again: after`,
    `  ${firstPauseMs / 1000} s, then twice as long each time, at most ${longestPauseMs / 60_000} min, ${mostAttempts} times in all. A busy stage loses no attempt, and is`,
    `  asked for ${longestWaitMs / 3_600_000} h.`,
    `- An accepted offer without an outcome within ${outcomeTimeoutMs / 60_000} min is made again in the same way. All of these limits can be configured.`,
    '- An outcome is taken whenever it comes: before the answer, or after the offer was given up; then it is marked late.',
    '- A status of 200 for an outcome means that its results are on disk. Anything else: send it again. The same outcome',
    '  again is answered with 200 and changes nothing. Another outcome for the same offer is a conflict (409): the first one stands.',
    '- An outcome that does not fit the schema is answered with 422 and the fields that are wrong; the offer still waits.',
    '- A series marked `synthetic` was computed. What is made from it carries the mark on (DICOM SyntheticData YES) and says so in words.',
    '- DICOM results keep the StudyInstanceUID and the patient of the images that they were made from.',
    '- Keys that a stage does not know are to be ignored, and so does Conus: new keys may come without a new version.',
    '',
    ...schemaTables('Offer', offer as JsonSchema),
    ...schemaTables('Answer', answer as JsonSchema),
    ...schemaTables('Outcome', outcome as JsonSchema),
  ].join('\n');
}
