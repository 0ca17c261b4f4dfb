/** Every error and remark of the whole house, joined, and the page that documents them. */
import { MRD_ERRORS } from 'ismrmrd';
import type { ErrorEntry, ErrorTable } from 'ismrmrd';
import { ANALYSIS_ERRORS, ANALYSIS_NOTES, ANALYSIS_WARNINGS } from '../analysis/index.js';
import { IMG_ERRORS } from '../imaging/index.js';
import { MODEL_ERRORS, MODEL_WARNINGS } from '../models/index.js';
import { PROTOCOL_ERRORS, PROTOCOL_WARNINGS } from '../protocols/index.js';
import { RECON_ERRORS, RECON_NOTICES } from '../recon/index.js';
import { SIM_ERRORS } from '../simulator/index.js';
import { SYNTH_ERRORS, SYNTH_WARNINGS } from '../synth/index.js';
import { ANALYSIS_FLOW_ERRORS, ANALYSIS_FLOW_WARNINGS } from './analysis/index.js';
import { CHAIN_ERRORS, CHAIN_WARNINGS } from './chain/index.js';
import { CLI_ERRORS, CLI_WARNINGS } from './cli/errors.js';
import { CLUSTER_ERRORS, CLUSTER_WARNINGS } from './cluster/index.js';
import { CONFIG_ERRORS } from './config/index.js';
import { DELIVERY_ERRORS, DELIVERY_WARNINGS } from './delivery/index.js';
import { DICOM_ERRORS, DICOM_WARNINGS } from './dicom/errors.js';
import { HANDOFF_ERRORS } from './handoff/index.js';
import { JOB_ERRORS } from './jobs/index.js';
import { EXAM_ERRORS, EXAM_NOTES } from './exams/index.js';
import { DOOR_ERRORS } from './doors/index.js';
import { HTTP_ERRORS } from './http/index.js';
import { LIVE_ERRORS } from './live/index.js';
import { PROTOCOL_FILE_ERRORS, PROTOCOL_FILE_WARNINGS } from './protocols/index.js';
import { RAW_WARNINGS } from './raw/index.js';
import { READING_ERRORS } from './reading/index.js';
import { RECORD_ERRORS } from './records/index.js';
import { SERVER_ERRORS } from './server/index.js';
import { RETRO_ERRORS } from './service/errors.js';
import { SESSION_ERRORS, SESSION_WARNINGS } from './session/index.js';
import { SIMULATION_ERRORS } from './simulation/errors.js';
import { OPERATIONS_ERRORS } from './operations/index.js';
import { OUTBOX_ERRORS } from './outbox/index.js';
import { SPOOL_ERRORS, SPOOL_WARNINGS } from './spool/index.js';
import { STORAGE_ERRORS } from './storage/index.js';
import { SWEEP_ERRORS } from './sweep/index.js';
import { SYNTHESIS_ERRORS, SYNTHESIS_WARNINGS } from './synthesis/index.js';

interface Section {
  readonly title: string;
  readonly table: ErrorTable;
}

const sections: readonly Section[] = [
  { title: 'The stream and the files (ismrmrd)', table: MRD_ERRORS },
  { title: 'The order of a session', table: { ...SESSION_ERRORS, ...SESSION_WARNINGS } },
  { title: 'Chain and parameters', table: { ...CHAIN_ERRORS, ...CHAIN_WARNINGS } },
  { title: 'Reconstruction', table: { ...RECON_ERRORS, ...RECON_NOTICES } },
  { title: 'Models', table: { ...MODEL_ERRORS, ...MODEL_WARNINGS } },
  { title: 'Synthesis', table: { ...SYNTH_ERRORS, ...SYNTHESIS_ERRORS, ...SYNTH_WARNINGS, ...SYNTHESIS_WARNINGS } },
  { title: 'Analysis', table: { ...ANALYSIS_ERRORS, ...ANALYSIS_FLOW_ERRORS, ...ANALYSIS_WARNINGS, ...ANALYSIS_NOTES, ...ANALYSIS_FLOW_WARNINGS } },
  { title: 'Delivery', table: { ...DELIVERY_ERRORS, ...DELIVERY_WARNINGS } },
  { title: 'DICOM', table: { ...DICOM_ERRORS, ...DICOM_WARNINGS } },
  { title: 'The server', table: { ...SERVER_ERRORS, ...RAW_WARNINGS, ...RETRO_ERRORS } },
  { title: 'Exams', table: { ...EXAM_ERRORS, ...EXAM_NOTES, ...RECORD_ERRORS } },
  { title: 'The reading', table: READING_ERRORS },
  { title: 'The doors', table: DOOR_ERRORS },
  { title: 'The configuration', table: CONFIG_ERRORS },
  { title: 'HTTP and the live channel', table: { ...HTTP_ERRORS, ...LIVE_ERRORS } },
  { title: 'Operations', table: OPERATIONS_ERRORS },
  { title: 'The data directory', table: { ...SPOOL_ERRORS, ...SPOOL_WARNINGS, ...OUTBOX_ERRORS } },
  { title: 'Jobs', table: JOB_ERRORS },
  { title: 'What nodes share', table: { ...CLUSTER_ERRORS, ...CLUSTER_WARNINGS } },
  { title: 'The shared store', table: STORAGE_ERRORS },
  { title: 'The command line', table: { ...CLI_ERRORS, ...CLI_WARNINGS, ...SWEEP_ERRORS } },
  { title: 'Images and metrics', table: IMG_ERRORS },
  { title: 'Exam protocols', table: { ...PROTOCOL_ERRORS, ...PROTOCOL_FILE_ERRORS, ...PROTOCOL_WARNINGS, ...PROTOCOL_FILE_WARNINGS } },
  { title: 'The hand-off', table: HANDOFF_ERRORS },
  { title: 'The simulator', table: { ...SIM_ERRORS, ...SIMULATION_ERRORS } },
];

export interface DocumentedCode extends ErrorEntry {
  readonly code: string;
}

export const documentedCodes: readonly DocumentedCode[] = sections.flatMap(({ table }) =>
  Object.entries(table).map(([code, entry]) => ({ code, ...entry })),
);

const byCode = new Map(documentedCodes.map((entry) => [entry.code, entry]));

/** What a code means; undefined where there is none of this name. */
export function meaningOf(code: string): ErrorEntry | undefined {
  return byCode.get(code);
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** docs/errors.md */
export function errorsPage(): string {
  const parts = sections.map(({ title, table }) =>
    [
      `## ${title}`,
      '',
      '| code | what is expected | what to do |',
      '|---|---|---|',
      ...Object.entries(table).map(([code, { expected, action }]) => `| \`${code}\` | ${cell(expected)} | ${cell(action)} |`),
      '',
    ].join('\n'),
  );
  return [
    '# Error codes',
    '',
    'Written by `conus errors --markdown`; do not edit.',
    '',
    'Every error says what was got, what was expected and what to do. A session that ends with an error gets',
    'a TEXT message `ERR CODE: got …; expected …; what to do` and then CLOSE. Codes with `_WARN_` and `_INFO_` are',
    'remarks: the session goes on, and the client reads them as TEXT.',
    '',
    ...parts,
  ].join('\n');
}
