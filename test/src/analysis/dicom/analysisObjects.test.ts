import dcmjs from 'dcmjs';
import type { NaturalDataset } from 'dcmjs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { bodyCode, changeGrade, discCode, foramenCode, structureCodes, type LabelledStack } from '../../../../analysis/index.js';
import { pointOf, volumeOf, voxelOf, type ImageGeometry, type Vector3 } from '../../../../imaging/index.js';
import { codedStructure, levelCode } from '../../../../src/analysis/dicom/codes.js';
import { analysisObjects } from '../../../../src/analysis/dicom/index.js';
import { asAscii } from '../../../../src/analysis/dicom/structuredReport.js';
import { codesOnImage } from '../../../../src/analysis/dicom/segmentation.js';
import type { Stack } from '../../../../src/dicom/index.js';
import { boxes, imageGeometry, report, smallSpine } from '../../../analysis/report/fixtures.js';
import { imagesOfSpine } from './fixtures.js';

type Item = Record<string, unknown>;
const items = (dataset: Item, keyword: string): Item[] => {
  const value = dataset[keyword];
  return value === undefined ? [] : ((Array.isArray(value) ? value : [value]) as Item[]);
};
const read = (file: Uint8Array): NaturalDataset => dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(file.slice().buffer).dict);
const all = (node: Item, matches: (item: Item) => boolean): Item[] => [...(matches(node) ? [node] : []), ...items(node, 'ContentSequence').flatMap((child) => all(child, matches))];

const created = new Date(2026, 1, 3);
const [columns, rows, slices] = imageGeometry.matrixSize;
let scanned: Stack;
let computed: Stack;
beforeAll(async () => {
  scanned = (await imagesOfSpine()).stack;
  computed = (await imagesOfSpine(true)).stack;
});
const usual = new Map<boolean, Uint8Array[]>();
/** Those without options are made once. */
function objects(synthetic: boolean, more?: Partial<Parameters<typeof analysisObjects>[0]>): Uint8Array[] {
  const made = more === undefined ? usual.get(synthetic) : undefined;
  if (made !== undefined) return made;
  const files = analysisObjects({ spine: smallSpine(synthetic), report: report(synthetic), sources: [scanned, synthetic ? computed : scanned], softwareVersion: '0.1.0', created, ...more });
  if (more === undefined) usual.set(synthetic, files);
  return files;
}

/** [frame][pixel] of the bits. */
function bits(segmentation: NaturalDataset): Uint8Array[] {
  const [buffer] = segmentation.PixelData as ArrayBuffer[];
  const bytes = new Uint8Array(buffer!);
  return Array.from({ length: Number(segmentation.NumberOfFrames) }, (_, frame) => Uint8Array.from({ length: rows * columns }, (__, pixel) => {
    const bit = frame * rows * columns + pixel;
    return (bytes[bit >> 3]! >> (bit & 7)) & 1;
  }));
}

describe('the objects of an analysis', () => {
  it('are of the same patient and study, of series of their own, and say what they are', () => {
    const made = objects(true).map(read);
    expect(made.map(({ Modality }) => Modality)).toEqual(['SEG', 'SEG', 'SR', 'OT']);
    const { image } = scanned.slices[0]!;
    for (const dataset of made) {
      expect(dataset).toMatchObject({ StudyInstanceUID: image.identity.studyInstanceUid, PatientID: 'P-17', SoftwareVersions: '0.1.0' });
      expect(String((dataset.PatientName as { Alphabetic: string }[])[0]!.Alphabetic)).toBe('Müller^Änne');
    }
    const uids = made.flatMap(({ SOPInstanceUID, SeriesInstanceUID }) => [SOPInstanceUID, SeriesInstanceUID]);
    expect(new Set(uids).size).toBe(8);
    expect(uids).not.toContain(image.identity.seriesInstanceUid);
  });

  it('are others for each stack, where several are one series, as axial slices at several discs', () => {
    const secondStack = { ...scanned, slices: scanned.slices.map((slice) => ({ ...slice, image: { ...slice.image, identity: { ...slice.image.identity, sopInstanceUid: `${slice.image.identity.sopInstanceUid}1` } } })) };
    const uids = objects(false, { sources: [scanned, secondStack] }).map(read).flatMap(({ SOPInstanceUID, SeriesInstanceUID }) => [SOPInstanceUID, SeriesInstanceUID]);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('carry the mark of synthetic images wherever something rests on them, and nowhere else', () => {
    expect(objects(false).map((file) => read(file).SyntheticData)).toEqual([undefined, undefined, undefined, undefined]);
    // The segmentation of the scanned series stays unmarked beside that of the computed one.
    expect(objects(true).map((file) => read(file).SyntheticData)).toEqual([undefined, 'YES', 'YES', 'YES']);
    expect(objects(true).map((file) => String(read(file).SeriesDescription).startsWith('SYN '))).toEqual([false, true, true, true]);
  });

  it('are the same bytes again, and others for another report', () => {
    const uidsOf = (files: Uint8Array[]) => files.map((file) => read(file).SOPInstanceUID);
    const again = objects(false);
    objects(false, {}).forEach((file, index) => expect(Buffer.compare(file, again[index]!)).toBe(0));
    const changed = changeGrade(report(), { findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild', by: 'x', at: '2026-02-03T05:00:00Z' });
    const others = uidsOf(objects(false, { report: changed }));
    for (const uid of uidsOf(again)) expect(others).not.toContain(uid);
    expect(uidsOf(objects(false, { report: { ...report(), created: '2030-01-01T00:00:00.000Z' } }))).toEqual(uidsOf(again));
  });

  it('are none without images, and leave out segmentations of series whose images are not at hand', () => {
    expect(objects(false, { sources: [undefined, undefined] })).toEqual([]);
    expect(objects(false, { sources: [undefined, scanned] }).map((file) => read(file).Modality)).toEqual(['SEG', 'SR', 'OT']);
  });
});

describe('a segmentation', () => {
  it('has every labelled pixel of every structure where it was, and no other', () => {
    const [dataset] = objects(false).map(read);
    const frames = bits(dataset!);
    const labels = items(dataset!, 'SegmentSequence').map(({ SegmentLabel }) => SegmentLabel);
    const groups = items(dataset!, 'PerFrameFunctionalGroupsSequence');
    expect([labels.length, frames.length]).toEqual([boxes.length, boxes.length * slices]);
    for (const { code, column, row, slice } of boxes) {
      const number = labels.indexOf(codedStructure(code, report().levels).label) + 1;
      expect(number).toBeGreaterThan(0);
      const found = groups.flatMap((group, index) => (items(group, 'SegmentIdentificationSequence')[0]!.ReferencedSegmentNumber === number ? [index] : []));
      found.forEach((frame) => {
        const positionMm = (items(groups[frame]!, 'PlanePositionSequence')[0]!.ImagePositionPatient as unknown[]).map(Number) as unknown as Vector3;
        const place = Math.round(voxelOf(imageGeometry, positionMm)[2]);
        expect(Math.hypot(...pointOf(imageGeometry, [0, 0, place]).map((value, axis) => value - positionMm[axis]!))).toBeLessThan(1e-3);
        const isInside = (pixel: number) => place >= slice[0] && place < slice[1] && pixel % columns >= column[0] && pixel % columns < column[1] && Math.floor(pixel / columns) >= row[0] && Math.floor(pixel / columns) < row[1];
        expect([...frames[frame]!].every((bit, pixel) => bit === Number(isInside(pixel)))).toBe(true);
        const [source] = items(items(groups[frame]!, 'DerivationImageSequence')[0]!, 'SourceImageSequence');
        expect(source!.ReferencedSOPInstanceUID).toBe(scanned.slices[place]!.image.identity.sopInstanceUid);
      });
      expect(found).toHaveLength(slices);
    }
  });

  it('leaves out empty frames when it is asked, and only these', () => {
    const [whole, short] = [false, true].map((dropsEmptyFrames) => read(objects(false, { dropsEmptyFrames })[0]!));
    const counts = [whole!, short!].map((dataset) => bits(dataset).reduce((sum, frame) => sum + frame.reduce((a, b) => a + b, 0), 0));
    expect(counts[0]).toBe(counts[1]);
    expect(bits(short!).every((frame) => frame.includes(1))).toBe(true);
    expect(Number(short!.NumberOfFrames)).toBe(boxes.reduce((sum, { slice }) => sum + slice[1] - slice[0], 0));
  });

  it('names the frames of a multi-frame source', async () => {
    const { stack } = await imagesOfSpine(false, true);
    const [dataset] = objects(false, { sources: [stack, stack] }).map(read);
    const numbers = items(dataset!, 'PerFrameFunctionalGroupsSequence').map((group) => Number(items(items(group, 'DerivationImageSequence')[0]!, 'SourceImageSequence')[0]!.ReferencedFrameNumber));
    expect(numbers.slice(0, slices)).toEqual([1, 2, 3, 4]);
  });

  it('takes the most frequent label of a pixel, on any grid', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 ** 31 - 1 }), (finer, seed) => {
      const geometry: ImageGeometry = { ...imageGeometry, matrixSize: [columns * finer, rows * finer, slices] };
      // The corners of both grids coincide.
      const shift = pointOf(imageGeometry, [-0.5 + 0.5 / finer, -0.5 + 0.5 / finer, 0]).map((value, axis) => value - pointOf(geometry, [0, 0, 0])[axis]!);
      const moved = { ...geometry, centreMm: geometry.centreMm.map((value, axis) => value + shift[axis]!) as unknown as Vector3 };
      let state = seed;
      const labels = Uint16Array.from({ length: columns * rows * slices * finer * finer }, () => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return state >>> 30;
      });
      const stack: LabelledStack = { seriesIndex: 0, orientation: 'sagittal', codes: volumeOf(moved, labels), confidence: new Uint8Array(labels.length) };
      const found = codesOnImage(stack, scanned.slices[2]!);
      for (const pixel of [0, 41, 777, columns * rows - 1]) {
        const counts = new Map<number, number>();
        for (let j = 0; j < finer; j++) {
          for (let i = 0; i < finer; i++) {
            const label = labels[(2 * rows * finer + Math.floor(pixel / columns) * finer + j) * columns * finer + (pixel % columns) * finer + i]!;
            counts.set(label, (counts.get(label) ?? 0) + 1);
          }
        }
        expect(counts.get(found[pixel]!)).toBe(Math.max(...counts.values()));
      }
    }), { numRuns: 6 });
  });
});

describe('a structured report', () => {
  it('holds every measure, grade and sentence, and refers to nothing that is not in its evidence', () => {
    const [first, second, document] = objects(true).map(read) as [NaturalDataset, NaturalDataset, NaturalDataset];
    const made = report(true);
    const numbers = all(document, ({ ValueType }) => ValueType === 'NUM').map((node) => Number(items(node, 'MeasuredValueSequence')[0]!.NumericValue));
    expect(numbers.sort()).toEqual(made.findings.flatMap(({ measures }) => measures.map(({ value }) => value)).sort());
    const texts = all(document, ({ ValueType }) => ValueType === 'TEXT').map(({ TextValue }) => TextValue);
    for (const { draft } of made.sentences) expect(texts).toContain(asAscii(draft));
    expect(texts).toEqual(expect.arrayContaining([made.statement, 'from SYNTHETIC images, computed and not scanned']));
    const evidence = items(items(document, 'CurrentRequestedProcedureEvidenceSequence')[0]!, 'ReferencedSeriesSequence').flatMap((series) => items(series, 'ReferencedSOPSequence').map(({ ReferencedSOPInstanceUID }) => ReferencedSOPInstanceUID));
    const referenced = all(document, ({ ValueType }) => ValueType === 'IMAGE').map((node) => items(node, 'ReferencedSOPSequence')[0]!.ReferencedSOPInstanceUID);
    for (const uid of referenced) expect(evidence).toContain(uid);
    expect(evidence).toEqual(expect.arrayContaining([first.SOPInstanceUID, second.SOPInstanceUID]));
    const groups = all(document, (node) => items(node, 'ConceptNameCodeSequence')[0]?.CodeValue === '125007');
    expect(groups).toHaveLength(made.sentences.length);
    const tracking = groups.map((group) => all(group, ({ ValueType }) => ValueType === 'UIDREF')[0]!.UID);
    expect(new Set(tracking).size).toBe(groups.length);
  });
});

describe('codes', () => {
  it('are there for every structure that labels can name, each with a label of its own', () => {
    const names = [...Array.from({ length: 7 }, (_, i) => `C${i + 1}`), ...Array.from({ length: 12 }, (_, i) => `T${i + 1}`), ...Array.from({ length: 6 }, (_, i) => `L${i + 1}`), 'S1'];
    const segments = names.slice(1, -1).map((name, index) => `${name}-${names[index + 2]!}`);
    const labels = [...names.map(bodyCode), ...segments.flatMap((segment) => [discCode(segment), foramenCode(segment, 'left'), foramenCode(segment, 'right')]), ...Object.values(structureCodes)];
    const coded = labels.map((label) => codedStructure(label, [...names, ...segments]));
    expect(new Set(coded.map(({ label }) => label)).size).toBe(labels.length);
    for (const { type, region, category } of coded) for (const item of [type, region, category]) expect(item.CodingSchemeDesignator).toMatch(/^(SCT|99CONUS)$/);
    // Without a sixth lumbar vertebra every level has its own code.
    const usual = [...names, ...segments].filter((level) => !level.includes('L6')).concat('L5-S1');
    expect(new Set(usual.map((level) => levelCode(level).CodeValue)).size).toBe(usual.length);
  });
});
