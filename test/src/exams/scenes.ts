/** Events as scanners and archives tell them, and books to tell them to. */
import { protocolOf, stirSource, tseSource } from '../../protocols/examples.js';
import { protocolSchema } from '../../../protocols/index.js';
import type { Protocol, ProtocolSource } from '../../../protocols/index.js';
import { ExamBook } from '../../../src/exams/index.js';
import type { BookOptions, ExamChange, ExamEvent, ExamRecord, SourceFacts } from '../../../src/exams/index.js';

const t1Source = { ...tseSource, id: 'sag-t1w', role: 't1w', seriesDescription: 'T1w TSE sag', sequence: { ...tseSource.sequence, trMs: 600, teMs: 10, echoTrainLength: 3 } } as const;

/** T1w, T2w and STIR, told apart by their names; deadlines 10 and 60 min after their turns. */
export function protocol(more: Partial<ProtocolSource> = {}): Protocol {
  const series = [t1Source, tseSource, stirSource].map((one) => ({
    ...one,
    recognise: { namePatterns: [{ 'sag-t1w': '*t1*', 'sag-t2w': '*t2*', 'sag-stir': '*stir*' }[one.id]!] },
  }));
  return protocolSchema.parse({ ...protocolOf(), title: 'Example of three', series, ...more });
}

export const minute = 60_000;
/** A plain number, so that failures can be read. */
export const begin = 1_000_000 * minute;

export function book(options: Partial<BookOptions> = {}, records: Iterable<ExamRecord> = [], now = 0): ExamBook {
  let nIds = 0;
  return new ExamBook(
    {
      protocols: [protocol()], quietMs: 60 * minute, windowMs: 120 * minute, maxFinished: 100,
      newId: () => `exam-${nIds++}-${Math.random().toString(36).slice(2, 8)}`,
      ...options,
    },
    records,
    now,
  );
}

export const facts = (description: string, more: Partial<SourceFacts> = {}): SourceFacts => ({
  patient: { id: 'P1', name: 'Doe^Jane' }, studyInstanceUid: '1.2.3', seriesDescription: description, nLines: 100, nImages: 3, modality: 'MR', ...more,
});

/** A scan from its header to its end. */
export function scan(sessionId: string, source: SourceFacts, at: number): ExamEvent[] {
  return [
    { kind: 'sessionOpened', at, sessionId, facts: source },
    { kind: 'readoutProgress', at: at + 1000, sessionId, nLines: 40, orientation: 'sagittal' },
    { kind: 'readoutProgress', at: at + 2000, sessionId, nLines: 100 },
    { kind: 'seriesImage', at: at + 2100, sessionId, output: 'image', nImages: 1 },
    { kind: 'inputEnded', at: at + 2200, sessionId },
    { kind: 'seriesImage', at: at + 2300, sessionId, output: 'image', nImages: 3 },
    { kind: 'seriesEnded', at: at + 2400, sessionId, remarks: ['RECON_INFO_X'] },
  ];
}

export function received(seriesInstanceUid: string, source: SourceFacts, nImages: number, at: number): ExamEvent[] {
  return [
    ...Array.from({ length: nImages }, (_, index): ExamEvent => ({
      kind: 'dicomReceived', at: at + 10 * index, seriesInstanceUid, sopInstanceUid: `${seriesInstanceUid}.${index}`, facts: source,
    })),
    { kind: 'dicomSeriesComplete', at: at + 10 * nImages, seriesInstanceUid },
  ];
}

export function tell(to: ExamBook, events: readonly ExamEvent[]): ExamChange[] {
  return events.flatMap((event) => [...to.apply(event).changes]);
}
