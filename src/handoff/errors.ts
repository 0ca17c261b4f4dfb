/** What can go wrong between Conus and a downstream stage. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const HANDOFF_ERRORS = {
  HANDOFF_ERR_UNKNOWN_OFFER: {
    expected: 'the id of an offer that this server made',
    action: 'answer with the offerId of the offer, unchanged',
  },
  HANDOFF_ERR_TOKEN: {
    expected: "the offer's own token as a bearer token",
    action: 'send the token that came with the offer in the Authorization header',
  },
  HANDOFF_ERR_ANSWER: {
    expected: 'an answer that fits the schema of the hand-off contract (docs/handoff.md)',
    action: 'correct the stage; the offer is made again until its attempts are used up',
  },
  HANDOFF_ERR_OUTCOME: {
    expected: 'an outcome that fits the schema of the hand-off contract (docs/handoff.md)',
    action: 'correct the outcome and send it again; the offer still waits for it',
  },
  HANDOFF_ERR_CONFLICT: {
    expected: 'the outcome that was already taken for this offer, or none',
    action: 'nothing was changed: the first outcome stands; ask for a new offer to replace it',
  },
  HANDOFF_ERR_NO_ANSWER: {
    expected: 'an answer within the time limit',
    action: 'see that the stage runs and can be reached; the offer is made again until its attempts are used up',
  },
  HANDOFF_ERR_NO_OUTCOME: {
    expected: 'done or failed within the time limit of an accepted offer',
    action: 'see what the stage does with the exam; an outcome that still comes is taken, and marked late',
  },
  HANDOFF_ERR_NO_RESULT: {
    expected: 'an exam that a stage made such a result of',
    action: 'see the analyses of the exam for the names of its results',
  },
  HANDOFF_ERR_STAGE_FAILED: {
    expected: 'results of the stage',
    action: "see the stage's own reason and log",
  },
  HANDOFF_ERR_STAGE_REFUSED: {
    expected: 'a stage that takes this exam',
    action: "see the stage's own reason; the exam's images are delivered all the same",
  },
  HANDOFF_ERR_MATERIAL: {
    expected: 'the instances of the offer in the data directory',
    action: 'see whether the quota removed them; reconstruct the exam again to offer it anew',
  },
  HANDOFF_ERR_NO_VOLUME: {
    expected: 'a series whose slices are one regular stack, for NIfTI',
    action: 'take the DICOM instances of the series',
  },
  HANDOFF_ERR_STAGE: {
    expected: 'stages whose destination is configured, and a data folder and an HTTP port where they need one',
    action: 'correct the section handoff of the configuration (docs/configuration.md)',
  },
} as const satisfies ErrorTable;

export const handoffError = errorsOf(HANDOFF_ERRORS);
