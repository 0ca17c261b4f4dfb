/**
 * Structures, levels and words of a report as DICOM codes. SNOMED CT codes (SCT) are those of the code dictionaries of
 * PS3.16 as pydicom 3.0.2 has them (vertebrae: CID 7602; levels of discs: CID 1000; discs by the vertebra above them: its
 * list of SNOMED CT names). What is not there has a code of ours (99CONUS): intervertebral foramen, facet joint, nerve root,
 * the disc C2-C3, and levels with L6, which stand at the lumbar spine.
 */
import { levelCodeOf, structureCodes, type Side } from '../../../analysis/index.js';
import { code, type DicomDataset } from '../../delivery/index.js';

const sct = (value: string, meaning: string) => code(value, 'SCT', meaning);
/** CodeValue holds 16 characters. */
export const ours = (value: string, meaning: string): DicomDataset =>
  value.length <= 16 ? code(value, '99CONUS', meaning) : { LongCodeValue: value, CodingSchemeDesignator: '99CONUS', CodeMeaning: meaning };

const vertebrae: Readonly<Record<string, string>> = {
  C1: '14806007', C2: '39976000', C3: '113205007', C4: '5329002', C5: '36978003', C6: '36054005', C7: '87391001',
  T1: '64864005', T2: '53733008', T3: '1626008', T4: '73071006', T5: '56401006', T6: '45296009', T7: '62487009', T8: '11068009',
  T9: '82687006', T10: '7610001', T11: '12989004', T12: '23215003',
  L1: '66794005', L2: '14293000', L3: '36470004', L4: '11994002', L5: '49668003',
};

/** Intervertebral disc structure of the vertebra above. */
const discs: Readonly<Record<string, string>> = {
  C3: '58820006', C4: '49400002', C5: '73959003', C6: '75095006', C7: '37414007',
  T1: '40908007', T2: '6004007', T3: '2620004', T4: '82965004', T5: '72692000', T6: '74401007', T7: '28693002', T8: '9188009',
  T9: '113209001', T10: '34959001', T11: '1537001', T12: '76206002',
  L1: '80064006', L2: '67459009', L3: '62551000', L4: '84020006', L5: '75782005',
};

/** Level of the disc below the vertebra. */
const discLevels: Readonly<Record<string, string>> = {
  'C2-C3': '243902007', 'C3-C4': '243903002', 'C4-C5': '243904008', 'C5-C6': '243905009', 'C6-C7': '243906005', 'C7-T1': '243925008',
  'T1-T2': '243908006', 'T2-T3': '243909003', 'T3-T4': '243910008', 'T4-T5': '243911007', 'T5-T6': '243912000', 'T6-T7': '243913005',
  'T7-T8': '243914004', 'T8-T9': '243915003', 'T9-T10': '243916002', 'T10-T11': '243917006', 'T11-T12': '243918001', 'T12-L1': '243926009',
  'L1-L2': '243920003', 'L2-L3': '243921004', 'L3-L4': '243922006', 'L4-L5': '243923001', 'L5-S1': '243927000',
};

const sacrum = sct('54735007', 'Sacrum');
const spine = sct('421060004', 'Spine');
const lumbarSpine = sct('122496007', 'Lumbar spine');
const vertebralCanal = sct('61853006', 'Vertebral canal');

export const sides: Readonly<Record<Side, DicomDataset>> = { left: sct('7771000', 'Left'), right: sct('24028007', 'Right') };

function vertebra(name: string): DicomDataset {
  if (name === 'S1') return sacrum;
  const known = vertebrae[name];
  return known === undefined ? sct('51282000', 'Vertebra') : sct(known, `${name} vertebra`);
}

/** Where a vertebra or a segment is; undefined is the spine. */
export function levelCode(level: string | undefined): DicomDataset {
  if (level === undefined) return spine;
  if (!level.includes('-')) return level.startsWith('L6') ? lumbarSpine : vertebra(level);
  const known = discLevels[level];
  return known === undefined ? lumbarSpine : sct(known, `Level of ${level.replace('-', '/')} intervertebral disc`);
}

/** The vertebra below the disc of a code; with a sixth lumbar vertebra the names of the levels tell. */
function segmentBelow(upper: string, levels: readonly string[]): string {
  return levels.find((level) => level.startsWith(`${upper}-`)) ?? `${upper}-?`;
}

export interface CodedStructure {
  readonly label: string;
  readonly category: DicomDataset;
  readonly type: DicomDataset;
  readonly region: DicomDataset;
  readonly side?: Side;
  /** Recommended, red, green, blue. */
  readonly colour: readonly [number, number, number];
}

const structure = sct('91723000', 'Anatomical Structure');
const tissue = sct('85756007', 'Tissue');

/** @param levels names of vertebrae and segments of the spine, for the vertebra below a disc */
export function codedStructure(label: number, levels: readonly string[]): CodedStructure {
  const known = levelCodeOf(label);
  if (known === undefined) return unlevelled(label);
  const { kind, level } = known;
  const segment = segmentBelow(level, levels);
  const region = levelCode(segment.endsWith('?') ? undefined : segment);
  switch (kind) {
    case 'body':
      return { label: `${level} vertebral body`, category: structure, type: vertebra(level), region: levelCode(level), colour: [90, 170, 255] };
    case 'arch':
      return { label: `${level} posterior elements`, category: structure, type: sct('40265002', 'Arch of vertebra'), region: levelCode(level), colour: [150, 190, 255] };
    case 'disc':
      return { label: `${segment} disc`, category: structure, type: discType(level, segment), region, colour: [255, 160, 60] };
    case 'foramenLeft': case 'foramenRight':
      return sided(`${segment} foramen`, ours('FORAMEN', 'Intervertebral foramen'), region, kind === 'foramenLeft' ? 'left' : 'right', [90, 220, 120]);
    case 'facetLeft': case 'facetRight':
      return sided(`${segment} facet joint`, ours('FACET_JOINT', 'Facet joint'), region, kind === 'facetLeft' ? 'left' : 'right', [220, 120, 255]);
  }
}

function discType(upper: string, segment: string): DicomDataset {
  if (segment === 'L5-S1') return sct('715056000', 'Intervertebral disc of L5 and S1');
  const known = discs[upper];
  return known === undefined ? ours('DISC', 'Intervertebral disc') : sct(known, `Intervertebral disc of ${upper} vertebra`);
}

function sided(name: string, type: DicomDataset, region: DicomDataset, side: Side, colour: CodedStructure['colour']): CodedStructure {
  return { label: `${name} ${side}`, category: structure, type, region, side, colour };
}

function unlevelled(label: number): CodedStructure {
  const plain = (name: string, type: DicomDataset, region: DicomDataset, colour: CodedStructure['colour'], category = structure): CodedStructure => ({ label: name, category, type, region, colour });
  switch (label) {
    case structureCodes.sac: return plain('Dural sac', sct('280401006', 'Spinal cerebrospinal fluid pathway'), vertebralCanal, [80, 220, 230]);
    case structureCodes.cord: return plain('Spinal cord', sct('2748008', 'Spinal cord'), spine, [255, 230, 80]);
    case structureCodes.epiduralFat: return plain('Epidural fat', sct('55603005', 'Fat'), vertebralCanal, [255, 200, 140], tissue);
    case structureCodes.ligamentumFlavum: return plain('Ligamentum flavum', sct('52082005', 'Ligament'), spine, [255, 110, 150], tissue);
    case structureCodes.sacrum: return plain('Sacrum', sacrum, sacrum, [60, 130, 220]);
    case structureCodes.root: return plain('Nerve root', ours('NERVE_ROOT', 'Nerve root'), spine, [255, 255, 160]);
    case structureCodes.otherBone: return plain('Other bone', sct('272673000', 'Bone'), spine, [180, 180, 180]);
    default: return plain(`Structure ${label}`, ours('STRUCTURE', 'Structure'), spine, [200, 200, 200]);
  }
}

/** Grades that say how bad it is, by SNOMED CT; the values of other scales are ours. */
const severities: Readonly<Record<string, DicomDataset>> = {
  normal: sct('17621005', 'Normal'), mild: sct('255604002', 'Mild'), moderate: sct('6736007', 'Moderate'), severe: sct('24484000', 'Severe'),
};

export function gradeCode(scale: string, value: string): DicomDataset {
  return severities[value] ?? ours(`${scale}:${value}`, `${scale} ${value}`);
}

/** UCUM. */
export const unitCodes = {
  mm: code('mm', 'UCUM', 'millimeter'), mm2: code('mm2', 'UCUM', 'square millimeter'), mm3: code('mm3', 'UCUM', 'cubic millimeter'),
  deg: code('deg', 'UCUM', 'degree'), '1': code('1', 'UCUM', 'no units'), HU: code("[hnsf'U]", 'UCUM', 'Hounsfield unit'), ms: code('ms', 'UCUM', 'millisecond'),
} as const;
