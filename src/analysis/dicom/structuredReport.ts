/**
 * A report as a DICOM Structured Report (Comprehensive 3D SR; PS3.16, TID 1500 Measurement Report): a measurement group
 * (TID 1501) a level with its tracking identifier, its place, its measures in UCUM units, its grades as coded values, the
 * sentence, the algorithm (TID 4019), and the images and segments that it rests on.
 */
import { kindWords, measureWords, sentenceText, type Report, type ReportedFinding } from '../../../analysis/index.js';
import { code, contentUid, dateAndTime, decimalString, text, type DicomDataset } from '../../delivery/index.js';
import type { Stack } from '../../dicom/index.js';
import { gradeCode, levelCode, ours, sides, unitCodes } from './codes.js';
import { bySeries, commonModules, isSynthetic, referencedSlices, referenceItem, type ObjectSetting, type ReferencedObject } from './sources.js';

export const COMPREHENSIVE_3D_SR_STORAGE = '1.2.840.10008.5.1.4.1.1.88.34';

/** A segmentation and the segments of a level in it. */
export interface LevelSegments {
  readonly reference: ReferencedObject;
  readonly segmentsOf: (level: string) => readonly number[];
}

export interface StructuredReportInput {
  readonly report: Report;
  /** By the series of the report; undefined where the images of one are not at hand. */
  readonly sources: readonly (Stack | undefined)[];
  readonly segmentations: readonly LevelSegments[];
  readonly seriesNumber: number;
  /** Where a reader stands behind it. */
  readonly confirmed?: ConfirmedReport;
}

export interface ConfirmedReport {
  /** The name that was typed; nobody checked it. */
  readonly by: string;
  readonly at: Date;
  /** The document whose content this one has, changed where the reader changed it. */
  readonly predecessor?: ReferencedObject;
  /** Key of the analysis: its levels are tracked under the same identifiers. */
  readonly analysisKey: string;
}

const dcm = (value: string, meaning: string) => code(value, 'DCM', meaning);

/**
 * A confirmed report is UNVERIFIED all the same: DICOM's verifying observer is known and accountable, and here somebody typed a
 * name. He is told as the attestor, a participant who stands behind the content, and as the person observer.
 */
export function structuredReport(input: StructuredReportInput, setting: ObjectSetting): DicomDataset {
  const { report, sources, segmentations, confirmed } = input;
  const known = sources.filter((source) => source !== undefined);
  const common = commonModules(known[0]!, setting, {
    name: 'structured report', modality: 'SR', sopClassUid: COMPREHENSIVE_3D_SR_STORAGE, seriesNumber: input.seriesNumber,
    description: `Spine measurements and grades${confirmed === undefined ? '' : ', confirmed by reader'}`, isSynthetic: report.syntheticData || known.some(isSynthetic),
  });
  const images = known.flatMap(referencedSlices);
  const evidence = bySeries([...images, ...segmentations.map(({ reference }) => reference)], 'ReferencedSOPSequence');
  return {
    ...common,
    CompletionFlag: 'COMPLETE',
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    ...(confirmed !== undefined && confirmationModules(confirmed, common.StudyInstanceUID)),
    ReferencedPerformedProcedureStepSequence: [],
    PerformedProcedureCodeSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [{ StudyInstanceUID: common.StudyInstanceUID, ReferencedSeriesSequence: evidence }],
    ...container(undefined, dcm('126000', 'Imaging Measurement Report'), [
      { ...codeItem('HAS CONCEPT MOD', dcm('121049', 'Language of Content Item and Descendants'), code('en-US', 'RFC5646', 'English (United States)')) },
      ...observer(report),
      ...(confirmed === undefined ? [] : personObserver(confirmed)),
      codeItem('HAS CONCEPT MOD', dcm('121058', 'Procedure reported'), code('363679005', 'SCT', 'Imaging procedure')),
      imageLibrary(images),
      container('CONTAINS', dcm('126010', 'Imaging Measurements'), groups(input, setting)),
      container('CONTAINS', code('C0034375', 'UMLS', 'Qualitative Evaluations'), evaluations(input)),
    ], '1500'),
  };
}

/** Document general module (PS3.3, C.17.2). */
function confirmationModules({ by, at, predecessor }: ConfirmedReport, studyInstanceUid: string): DicomDataset {
  const { date, time } = dateAndTime(at);
  return {
    ParticipantSequence: [{ ParticipationType: 'ATTEST', ParticipationDateTime: `${date}${time}`, ObserverType: 'PSN', PersonName: personName(by), PersonIdentificationCodeSequence: [], InstitutionName: '', InstitutionCodeSequence: [] }],
    ...(predecessor !== undefined && {
      PredecessorDocumentsSequence: [{ StudyInstanceUID: studyInstanceUid, ReferencedSeriesSequence: bySeries([predecessor], 'ReferencedSOPSequence') }],
    }),
  };
}

function groups({ report, sources, segmentations, confirmed }: StructuredReportInput, setting: ObjectSetting): DicomDataset[] {
  const key = confirmed?.analysisKey ?? setting.key;
  return report.sentences.map((sentence) => {
    const { level } = sentence;
    const findings = report.findings.filter((finding) => finding.level === level);
    return container('CONTAINS', dcm('125007', 'Measurement Group'), [
      textItem('HAS OBS CONTEXT', dcm('112039', 'Tracking Identifier'), level ?? 'Spine'),
      uidItem('HAS OBS CONTEXT', dcm('112040', 'Tracking Unique Identifier'), contentUid('tracking', key, level ?? 'Spine')),
      codeItem('HAS CONCEPT MOD', code('363698007', 'SCT', 'Finding Site'), levelCode(level)),
      ...algorithms(report),
      ...findings.flatMap((finding) => [...measurements(finding, sources), ...grades(finding, report)]),
      ...(level === undefined ? [] : segmentations.flatMap(({ reference, segmentsOf }) => segmentItems(reference, segmentsOf(level)))),
      textItem('CONTAINS', dcm('121106', 'Comment'), sentenceText(sentence)),
    ], '1501');
  });
}

function measurements(finding: ReportedFinding, sources: readonly (Stack | undefined)[]): DicomDataset[] {
  return finding.measures.map(({ name, value, unit }) => item('CONTAINS', 'NUM', ours(`${finding.kind}.${name}`, text(measureWords(name), 64)), {
    MeasuredValueSequence: [{ NumericValue: decimalString(value), MeasurementUnitsCodeSequence: [unitCodes[unit]] }],
    ContentSequence: [
      ...sideItems(finding),
      ...sourceItems(finding, sources),
      ...(finding.basis.synthetic ? [syntheticItem] : []),
    ],
  })).map(withoutEmptyContent);
}

function grades(finding: ReportedFinding, { changes }: Report): DicomDataset[] {
  const changeOf = (scale: string) => changes.filter((change) => change.findingId === finding.id && change.scale === scale);
  return finding.grades.map(({ scale, value }) => withoutEmptyContent({
    ...codeItem('CONTAINS', ours(`${finding.kind}.${scale}`, text(scale === finding.kind ? kindWords[finding.kind] : `${kindWords[finding.kind]}, ${measureWords(scale)}`, 64)), gradeCode(scale, value)),
    ContentSequence: [...sideItems(finding), ...(finding.basis.synthetic ? [syntheticItem] : []), ...readerItems(changeOf(scale))],
  }));
}

/** Nobody takes what a reader graded for computed. */
function readerItems(changes: Report['changes']): DicomDataset[] {
  const [first, last] = [changes[0], changes.at(-1)];
  if (first === undefined || last === undefined) return [];
  return [textItem('HAS CONCEPT MOD', dcm('121106', 'Comment'), `graded by ${last.by} at ${last.at}; computed: ${first.from}`)];
}

const syntheticItem = textItem('HAS CONCEPT MOD', dcm('121106', 'Comment'), 'from SYNTHETIC images, computed and not scanned');

function sideItems({ side }: ReportedFinding): DicomDataset[] {
  return side === undefined ? [] : [codeItem('HAS CONCEPT MOD', code('272741003', 'SCT', 'Laterality'), sides[side])];
}

/** The slice of its picture, where it has one. */
function sourceItems({ drawing }: ReportedFinding, sources: readonly (Stack | undefined)[]): DicomDataset[] {
  const source = drawing === undefined ? undefined : sources[drawing.seriesIndex];
  const slice = source === undefined ? undefined : referencedSlices(source)[drawing!.sliceIndex];
  return slice === undefined ? [] : [imageItem('INFERRED FROM', dcm('121112', 'Source of Measurement'), slice)];
}

function segmentItems(reference: ReferencedObject, segments: readonly number[]): DicomDataset[] {
  if (segments.length === 0) return [];
  return [item('CONTAINS', 'IMAGE', dcm('121191', 'Referenced Segment'), { ReferencedSOPSequence: [{ ...referenceItem(reference), ReferencedSegmentNumber: [...segments] }] })];
}

function algorithms({ models, software }: Report): DicomDataset[] {
  const all = models.length === 0 ? [{ id: software.name, version: software.version }] : models;
  return [
    textItem('HAS CONCEPT MOD', dcm('111001', 'Algorithm Name'), [software.name, ...all.map(({ id }) => id)].join(', ')),
    textItem('HAS CONCEPT MOD', dcm('111003', 'Algorithm Version'), [software.version, ...all.map(({ version }) => version)].join(', ')),
  ];
}

/** What concerns the whole: what this is, how certain the levels are, how soon to look, what was not assessed, who changed what. */
function evaluations({ report: { statement, notes, numbering, priority, notAssessed, changes, sentences }, confirmed }: StructuredReportInput): DicomDataset[] {
  const comment = (value: string) => textItem('CONTAINS', dcm('121106', 'Comment'), value);
  return [
    comment(statement),
    ...(confirmed === undefined ? [] : [comment(`Confirmed by ${confirmed.by} at ${confirmed.at.toISOString()}: a name that was typed and that nobody checked; no signature`)]),
    ...notes.map(comment),
    ...(numbering.certain ? [] : [comment(`Numbering of the levels is uncertain: ${numbering.reasons.join('; ')}`)]),
    codeItem('CONTAINS', ours('priority', 'proposed priority'), ours(`priority:${priority.level}`, priority.level)),
    comment(`Proposed priority ${priority.level}: ${priority.reason}`),
    ...notAssessed.map(({ kind, level, side, code: reason, got }) => comment(`Not assessed: ${[level, side, kindWords[kind]].filter((part) => part !== undefined).join(' ')}: ${got} (${reason})`)),
    ...changes.map(({ findingId, scale, from, to, by, at }) => comment(`Changed by ${by} at ${at}: ${findingId}, ${measureWords(scale)}: ${from} to ${to}`)),
    ...sentences.flatMap(({ level, draft, edited }) => (edited === undefined ? [] : [comment(`Words of ${edited.by} at ${edited.at}: ${level ?? 'whole spine'}; the draft was: ${draft}`)])),
  ];
}

function observer({ software }: Report): DicomDataset[] {
  const context = (concept: DicomDataset, value: string) => textItem('HAS OBS CONTEXT', concept, value);
  return [
    codeItem('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121007', 'Device')),
    uidItem('HAS OBS CONTEXT', dcm('121012', 'Device Observer UID'), contentUid('device', software.name, software.version)),
    context(dcm('121013', 'Device Observer Name'), software.name),
    context(dcm('121014', 'Device Observer Manufacturer'), 'Conus'),
    context(dcm('121015', 'Device Observer Model Name'), `${software.name} ${software.version}`),
  ];
}

/** PN: as it was typed, in the place of the family name. Without a separator it would be in a form that is retired. */
function personName(by: string): string {
  return `${text(by, 63)}^`;
}

function personObserver({ by }: ConfirmedReport): DicomDataset[] {
  return [
    codeItem('HAS OBS CONTEXT', dcm('121005', 'Observer Type'), dcm('121006', 'Person')),
    item('HAS OBS CONTEXT', 'PNAME', dcm('121008', 'Person Observer Name'), { PersonName: personName(by) }),
  ];
}

function imageLibrary(images: readonly ReferencedObject[]): DicomDataset {
  const once = [...new Map(images.map((image) => [`${image.sopInstanceUid} ${image.frameNumber ?? 1}`, image])).values()];
  return container('CONTAINS', dcm('111028', 'Image Library'), [
    container('CONTAINS', dcm('126200', 'Image Library Group'), once.map((image) => imageItem('CONTAINS', undefined, image))),
  ]);
}

function item(relationship: string | undefined, type: string, concept: DicomDataset | undefined, more: DicomDataset): DicomDataset {
  return {
    ...(relationship !== undefined && { RelationshipType: relationship }),
    ValueType: type,
    ...(concept !== undefined && { ConceptNameCodeSequence: [concept] }),
    ...more,
  };
}

function container(relationship: string | undefined, concept: DicomDataset, content: readonly DicomDataset[], template?: string): DicomDataset {
  return item(relationship, 'CONTAINER', concept, {
    ContinuityOfContent: 'SEPARATE',
    ...(template !== undefined && { ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: template }] }),
    ContentSequence: [...content],
  });
}

function codeItem(relationship: string, concept: DicomDataset, value: DicomDataset): DicomDataset {
  return item(relationship, 'CODE', concept, { ConceptCodeSequence: [value] });
}

function textItem(relationship: string, concept: DicomDataset, value: string): DicomDataset {
  return item(relationship, 'TEXT', concept, { TextValue: asAscii(value) });
}

/** Not all that read reports read their character set, within sequences least of all. */
export function asAscii(value: string): string {
  return value.replaceAll('²', '2').replaceAll('³', '3').replaceAll('°', ' deg');
}

function uidItem(relationship: string, concept: DicomDataset, value: string): DicomDataset {
  return item(relationship, 'UIDREF', concept, { UID: value });
}

function imageItem(relationship: string, concept: DicomDataset | undefined, reference: ReferencedObject): DicomDataset {
  return item(relationship, 'IMAGE', concept, { ReferencedSOPSequence: [referenceItem(reference)] });
}

function withoutEmptyContent({ ContentSequence, ...rest }: DicomDataset): DicomDataset {
  return Array.isArray(ContentSequence) && ContentSequence.length > 0 ? { ...rest, ContentSequence } : rest;
}
