import dcmjs from 'dcmjs';
import type { NaturalDataset } from 'dcmjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { changeGrade, editSentence, type Report } from '../../../../analysis/index.js';
import { analysisObjects, confirmedObjects, type ConfirmedInput } from '../../../../src/analysis/dicom/index.js';
import { readSegmentation } from '../../../../src/analysis/dicom/readSegmentation.js';
import { codesOnImage } from '../../../../src/analysis/dicom/segmentation.js';
import { Pseudonymiser, pseudonymiseDicom } from '../../../../src/delivery/index.js';
import { readIdentity, type Stack } from '../../../../src/dicom/index.js';
import { imageGeometry, report, smallSpine } from '../../../analysis/report/fixtures.js';
import { imagesOfSpine } from './fixtures.js';

type Item = Record<string, unknown>;
const items = (dataset: Item, keyword: string): Item[] => {
  const value = dataset[keyword];
  return value === undefined ? [] : ((Array.isArray(value) ? value : [value]) as Item[]);
};
const read = (file: Uint8Array): NaturalDataset => dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(file.slice().buffer).dict);
const all = (node: Item, matches: (item: Item) => boolean): Item[] => [...(matches(node) ? [node] : []), ...items(node, 'ContentSequence').flatMap((child) => all(child, matches))];
const meaning = (item: Item) => items(item, 'ConceptNameCodeSequence')[0]?.CodeMeaning;
const named = (dataset: Item, name: string) => all(dataset, (item) => meaning(item) === name);
/** dcmjs reads the items of sequences by another character set than that of their data set. */
const utf8 = (value: unknown) => Buffer.from(String(value), 'latin1').toString('utf8');
const texts = (dataset: Item) => all(dataset, (item) => item.ValueType === 'TEXT').map(({ TextValue }) => utf8(TextValue));

const at = new Date('2026-02-03T09:08:07Z');
let stack: Stack;
let computed: Stack;
let drafts: Uint8Array[];
beforeAll(async () => {
  stack = (await imagesOfSpine()).stack;
  computed = (await imagesOfSpine(true)).stack;
  drafts = analysisObjects({ spine: smallSpine(), report: report(), sources: [stack, stack], softwareVersion: '0.1.0' });
});

const signed = { by: 'Dr. Änne Müller', at: '2026-02-03T05:00:00.000Z' };
const readReport = (): Report => editSentence(
  changeGrade(report(), { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', ...signed }),
  { level: 'L5', text: 'L5: of no concern.', ...signed },
);

function confirmed(more: Partial<ConfirmedInput> = {}): Uint8Array[] {
  const spine = smallSpine();
  return confirmedObjects({
    draft: report(), report: readReport(), by: signed.by, at, softwareVersion: '0.1.0', segmentations: drafts.slice(0, 2), predecessor: readIdentity(drafts[2]!),
    series: spine.series.map((series) => ({ series, stack })), ...more,
  });
}

describe('a segmentation read back', () => {
  it('has every label where it was on the images, and the number of its segment', () => {
    const spine = smallSpine();
    const series = spine.series.map(({ orientation }, seriesIndex) => ({ seriesIndex, source: stack, geometry: imageGeometry, orientation }));
    const back = readSegmentation(drafts[0]!, series, report().levels)!;
    const wanted = stack.slices.flatMap((slice) => [...codesOnImage(spine.stacks[0]!, slice)]);
    expect([...back.stack.codes.data]).toEqual(wanted);
    expect(new Set(wanted).size).toBeGreaterThan(4);
    expect([...back.segmentOf.keys()].sort()).toEqual([...new Set(wanted)].filter((code) => code !== 0).sort());
    const labels = items(read(drafts[0]!), 'SegmentSequence');
    expect([...back.segmentOf.values()].sort()).toEqual(labels.map(({ SegmentNumber }) => SegmentNumber));
  });

  it('of other images is none', () => {
    const series = [{ seriesIndex: 0, source: computed, geometry: imageGeometry, orientation: 'sagittal' as const }];
    expect(readSegmentation(drafts[0]!, series, report().levels)).toBeUndefined();
  });
});

describe('a confirmed report', () => {
  it('is a document and a page of their own, in the study of the images', () => {
    const made = confirmed().map(read);
    expect(made.map(({ Modality }) => Modality)).toEqual(['SR', 'OT']);
    const earlier = drafts.flatMap((file) => [readIdentity(file).sopInstanceUid, readIdentity(file).seriesInstanceUid]);
    for (const { StudyInstanceUID, SOPInstanceUID, SeriesInstanceUID } of made) {
      expect(StudyInstanceUID).toBe(stack.slices[0]!.image.identity.studyInstanceUid);
      expect(earlier).not.toContain(SOPInstanceUID);
      expect(earlier).not.toContain(SeriesInstanceUID);
    }
    expect(confirmed().map((file) => readIdentity(file).sopInstanceUid)).toEqual(confirmed().map((file) => readIdentity(file).sopInstanceUid));
    // Unchanged, and confirmed by somebody else, it is another document.
    const others = [confirmed({ report: report() }), confirmed({ by: 'B' }), confirmed({ at: new Date(0) })].map((files) => readIdentity(files[0]!).sopInstanceUid);
    expect(new Set([...others, String(made[0]!.SOPInstanceUID), readIdentity(drafts[2]!).sopInstanceUid]).size).toBe(5);
  });

  it('claims no verification: a name was typed, and it is told as that', () => {
    const document = read(confirmed()[0]!);
    expect(document).toMatchObject({ VerificationFlag: 'UNVERIFIED', PreliminaryFlag: 'PRELIMINARY', CompletionFlag: 'COMPLETE' });
    expect(document.VerifyingObserverSequence).toBeUndefined();
    const [participant] = items(document, 'ParticipantSequence');
    expect(participant).toMatchObject({ ParticipationType: 'ATTEST', ObserverType: 'PSN' });
    expect(utf8((participant!.PersonName as { Alphabetic: string }[])[0]!.Alphabetic)).toBe(`${signed.by}^`);
    expect(named(document, 'Person Observer Name')).toHaveLength(1);
    expect(texts(document).some((text) => text.includes('nobody checked; no signature'))).toBe(true);
  });

  it('refers to the document before it, to the images and to the kept segmentations', () => {
    const document = read(confirmed()[0]!);
    const [predecessor] = items(items(items(document, 'PredecessorDocumentsSequence')[0]!, 'ReferencedSeriesSequence')[0]!, 'ReferencedSOPSequence');
    expect(predecessor!.ReferencedSOPInstanceUID).toBe(readIdentity(drafts[2]!).sopInstanceUid);
    const evidence = items(items(document, 'CurrentRequestedProcedureEvidenceSequence')[0]!, 'ReferencedSeriesSequence')
      .flatMap((series) => items(series, 'ReferencedSOPSequence').map(({ ReferencedSOPInstanceUID }) => ReferencedSOPInstanceUID));
    const images = stack.slices.map(({ image }) => image.identity.sopInstanceUid);
    expect(new Set(evidence)).toEqual(new Set([...images, ...drafts.slice(0, 2).map((file) => readIdentity(file).sopInstanceUid)]));
    const draft = read(drafts[2]!);
    const segments = (of: Item) => named(of, 'Referenced Segment').map((item) => items(item, 'ReferencedSOPSequence')[0]!);
    expect(segments(document).map((item) => [item.ReferencedSOPInstanceUID, item.ReferencedSegmentNumber])).toEqual(segments(draft).map((item) => [item.ReferencedSOPInstanceUID, item.ReferencedSegmentNumber]));
    expect(segments(document).length).toBeGreaterThan(0);
  });

  it('tracks the levels under the identifiers of the draft', () => {
    const uids = (of: Item) => named(of, 'Tracking Unique Identifier').map(({ UID }) => UID);
    expect(uids(read(confirmed()[0]!))).toEqual(uids(read(drafts[2]!)));
    expect(new Set(uids(read(drafts[2]!))).size).toBe(report().sentences.length);
  });

  it('has what the reader said, who said it and what was computed', () => {
    const document = read(confirmed()[0]!);
    const [grade] = named(document, 'central canal').filter(({ ValueType }) => ValueType === 'CODE');
    expect(items(grade!, 'ConceptCodeSequence')[0]!.CodeMeaning).toBe('Mild');
    expect(items(grade!, 'ContentSequence').map(({ TextValue }) => utf8(TextValue))).toEqual([`graded by ${signed.by} at ${signed.at}; computed: severe`]);
    expect(texts(document)).toContain('L5: of no concern.');
    expect(texts(document).some((text) => text.startsWith(`Words of ${signed.by}`) && text.includes('the draft was: L5:'))).toBe(true);
  });

  it('carries the mark of synthetic images on', () => {
    const spine = smallSpine(true);
    const [document, page] = confirmed({
      draft: report(true), report: report(true), series: spine.series.map((series, index) => ({ series, stack: index === 1 ? computed : stack })),
      segmentations: analysisObjects({ spine, report: report(true), sources: [stack, computed], softwareVersion: '0.1.0' }).slice(0, 2),
    }).map(read);
    for (const one of [document!, page!]) expect([one.SyntheticData, String(one.SeriesDescription).startsWith('SYN ')]).toEqual(['YES', true]);
  });

  it('names its reader to nobody who gets it under a pseudonym', () => {
    const pseudonymiser = new Pseudonymiser(new Uint8Array(32).fill(7), 'remove');
    for (const file of confirmed()) {
      const exported = Buffer.from(pseudonymiseDicom(file, pseudonymiser, 'test'));
      expect([exported.includes('ller'), exported.includes('P-17')]).toEqual([false, false]);
    }
    expect(Buffer.from(confirmed()[0]!).includes('Müller')).toBe(true);
  });

  it('has no page where no outlines are kept, and is none without images', () => {
    expect(confirmed({ segmentations: [] }).map((file) => read(file).Modality)).toEqual(['SR']);
    expect(confirmed({ series: [] })).toEqual([]);
  });
});
