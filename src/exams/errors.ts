/** Why a series, an action or a promise of an exam stands as it does, and what cannot be shown of it. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const EXAM_ERRORS = {
  CONUS_ERR_EXAM_UNKNOWN: {
    expected: 'the id of an exam that is kept here',
    action: 'GET /api/exams or conus exams list tells the ids',
  },
  CONUS_ERR_SERIES_UNKNOWN: {
    expected: 'the id of a series of the exam',
    action: 'GET /api/exams/ID lists them',
  },
  CONUS_ERR_IMAGE_GONE: {
    expected: 'an image that is still in memory or in the data folder',
    action: 'take it from the archive; the service keeps the latest images only',
  },
  CONUS_ERR_IMAGE_NO_VOLUME: {
    expected: 'slices of one size, parallel and evenly spaced, that fit into memory',
    action: 'look at them slice by slice',
  },
  CONUS_ERR_EXAM_RESTARTED: {
    expected: 'a service that stays up to the end of a scan',
    action: 'send the raw data again: from the scanner, or saved raw data with conus send',
  },
  CONUS_ERR_EXAM_NODE_GONE: {
    expected: 'a node that stays up to the end of a scan',
    action: 'nothing where the scanner sends the scan again by itself, which another node takes; else send it again',
  },
  CONUS_ERR_EXAM_NO_IMAGES: {
    expected: 'at least one image of a series',
    action: 'look at the remarks of the session; saved raw data can be looked at with conus inspect',
  },
  CONUS_ERR_EXAM_NO_HANDLER: {
    expected: 'a part of this service that does what the protocol asks for',
    action: 'nothing; this version or configuration has no such part, and what was scanned is delivered without it',
  },
  CONUS_ERR_EXAM_PROTOCOL: {
    expected: 'an exam whose protocol is known',
    action: 'name a protocol in the configuration (exams.protocol), or the study after one',
  },
  CONUS_ERR_SETTING_PROTOCOL: {
    expected: 'the name of a protocol that this service has',
    action: 'GET /api/protocols lists them',
  },
  CONUS_ERR_SETTING_STRENGTH: {
    expected: 'a strength of denoising that the protocol allows, or the one that the command line fixes',
    action: 'choose one within these limits, or another protocol; operator.denoisePercent of the protocol sets them',
  },
  CONUS_ERR_SETTING_SYNTHESIS: {
    expected: 'a synthesis of the protocol of the exam, switched off only where that is optional',
    action: 'choose another protocol, or take the series as it comes: it is marked as synthetic',
  },
  CONUS_ERR_SETTING_BEGUN: {
    expected: 'a synthesis that has not begun',
    action: 'nothing; what was begun is delivered, marked as synthetic',
  },
  CONUS_ERR_SETTING_MANY: {
    expected: 'an exam that people change, not a program',
    action: 'end what changes it again and again; the settings stay as they are',
  },
  CONUS_ERR_EXAM_ACTION: {
    expected: 'an action that comes to an end',
    action: 'look at the log of the service; what was scanned is delivered all the same',
  },
} as const satisfies ErrorTable;

export const EXAM_NOTES = {
  CONUS_INFO_EXAM_AWAITED: {
    expected: 'the series, when its turn comes',
    action: 'nothing yet',
  },
  CONUS_WARN_EXAM_LATE: {
    expected: 'the series by the end of its turn in the protocol',
    action: 'ask at the scanner whether it was scanned, and whether it was sent',
  },
  CONUS_WARN_EXAM_MISSING: {
    expected: 'the series within the deadline of the protocol',
    action: 'scan or send it; it is taken whenever it comes',
  },
  CONUS_WARN_EXAM_NOT_TOLD: {
    expected: 'series that the rules of the protocol tell apart',
    action: 'narrow the recognise rules of the protocol, or name the series at the scanner as the protocol does',
  },
  CONUS_WARN_EXAM_INPUT: {
    expected: 'every series that the action needs',
    action: 'see why that series is not there',
  },
  CONUS_INFO_EXAM_SWITCHED_OFF: {
    expected: 'the synthesis, unless the operator does without it',
    action: 'switch it on again at the console where it is wanted; it is computed as soon as its series are there',
  },
  CONUS_WARN_EXAM_PATIENT: {
    expected: 'one patient in one study',
    action: 'check at the scanner who was registered; nothing of this exam is to be trusted before',
  },
} as const satisfies ErrorTable;

export const examError = errorsOf(EXAM_ERRORS);
