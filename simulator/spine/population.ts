/**
 * Healthy spines, drawn from what has been measured on healthy people.
 *
 *   value = mean(level) · size · (1 + sd · e),   size = sex · stature,   e smooth along the column
 *
 * Neighbouring vertebrae resemble each other: e is an autoregressive sequence down the column (ρ = 0.7), cut
 * at 2.2 standard deviations, one for each group of quantities. The canal hardly grows with stature (Nell),
 * so it has a factor of its own.
 *
 * The tables (mm, degrees) are rounded, smoothed from level to level, and lie in the range of these studies;
 * they are no copy of any one of them:
 *   bodies, pedicles, canal, processes: Panjabi 1991, Spine 16:861 (cervical); 1991, doi
 *     10.1097/00007632-199108000-00006 (thoracic); 1992, Spine 17:299 (lumbar); Kunkel 2010, doi
 *     10.1111/j.1469-7580.2009.01187.x; Zhou 2000, doi 10.1007/s005860000140 (L3 to L5 by CT and sex)
 *   heights of bodies and discs: Gilad and Nissan 1986, Spine 11:154; Zhou 2000
 *   lordosis (supine, spread about 10 degrees) and wedges: Kalichman 2011, Spine J 11:513; Been and Kalichman
 *     2014, doi 10.1016/j.spinee.2013.07.464
 *   sac: Nakashima 2021, doi 10.1097/brs.0000000000004143; Pierro 2017, doi 10.4103/jcis.JCIS_24_17; cervical
 *     canal: Nell 2019, doi 10.1371/journal.pone.0222682; end of the sac (S2): Macdonald 1999, Clin Anat 12:73
 *   cord: Sherman 1990, AJNR 11:369; Frostell 2016, doi 10.3389/fneur.2016.00238; conus (mean: lower third of
 *     L1): Saifuddin 1998, Spine 23:1452
 *   facets: Masharawi 2004, Spine 29:1755 (angles); Weishaupt 1999, doi 10.1007/s002560050503 (space 2 to 4 mm)
 *   fat of marrow by age and sex: Baum 2018, doi 10.3389/fendo.2018.00141
 *   degeneration by age and level: Pfirrmann 2001, Spine 26:1873; Teraguchi 2014, doi 10.1016/j.joca.2013.10.019
 *   lumbosacral transition: Konin and Walz 2010, doi 10.3174/ajnr.A2036 (4 to 36 % of people; 12 % here)
 * Sacrum, coccyx and the angles of processes are from atlases; no statistic is claimed for them.
 */
import { simulatorError } from '../errors.js';
import { Random } from '../random.js';
import {
  perSide,
  type CordSection,
  type PerSide,
  type SegmentPlan,
  type Sex,
  type Side,
  type SpinePlan,
  type SpineRegion,
  type TransitionPlan,
  type VertebraKind,
  type VertebraPlan,
} from './plan.js';

/** What is given is not drawn. */
export interface PopulationOptions {
  readonly region?: SpineRegion;
  readonly sex?: Sex;
  /** 18 to 90. */
  readonly ageYears?: number;
  /** 0.85 to 1.15. */
  readonly statureScale?: number;
  readonly nLumbar?: 4 | 5 | 6;
  /** L1 to S1. 15 to 75. */
  readonly lordosisDeg?: number;
  /** Cobb angle of a lumbar curve, convex to the left where positive. -60 to 60. */
  readonly scoliosisDeg?: number;
}

/* Bodies: upper width, lower width, upper depth, lower depth, anterior height, posterior height, upper and lower concavity, waist. */
type BodyRow = readonly [number, number, number, number, number, number, number, number, number];
/* Arch: canal depth and width; pedicle width, height, length, angle, raised; lamina height, thickness. */
type ArchRow = readonly [number, number, number, number, number, number, number, number, number];
/* Processes: spinous length, height, thickness, slope; transverse length, height, backward angle. */
type ProcessRow = readonly [number, number, number, number, number, number, number];
/* Canal's contents at the middle of the body: sac AP, transverse, triangularity, gap before, gap behind; cord AP, transverse, shift to posterior. */
type SacRow = readonly [number, number, number, number, number, number, number, number];
/* Segment below: disc height in front, behind; sac AP, transverse, triangularity, gaps before and behind; flavum; recess; foramen width;
   ganglion; facet angle, tilt, space. */
type SegmentRow = readonly [number, number, number, number, number, number, number, number, number, number, number, number, number, number];

interface Level {
  readonly kind: VertebraKind;
  readonly body: BodyRow;
  readonly arch: ArchRow;
  readonly processes: ProcessRow;
  readonly sac: SacRow;
  readonly segment: SegmentRow;
}

function level(kind: VertebraKind, body: BodyRow, arch: ArchRow, processes: ProcessRow, sac: SacRow, segment: SegmentRow): Level {
  return { kind, body, arch, processes, sac, segment };
}

/** Means of women and men together. */
const atlas: Readonly<Record<string, Level>> = {
  C2: level('axis', [17, 17.5, 14.5, 15.5, 20, 18, 0.2, 1.5, 0.6], [20.5, 24, 8, 9, 5, 35, 2, 13, 5], [20, 13, 10, 25, 8, 8, 10],
    [14, 20, 0, 1.5, 1.5, 8.6, 12.2, 0], [5.2, 4.3, 13, 19.5, 0, 0.6, 1, 1.5, 5, 5.5, 4.5, 88, 45, 1.4]),
  C3: level('cervical', [16.5, 17, 15.3, 15.7, 13.6, 13.8, 1, 1.6, 0.7], [16.5, 23.5, 5.6, 7.2, 5, 42, 0.5, 11, 3.2], [14, 9, 7, 22, 10, 7, 5],
    [12.6, 19, 0, 1, 1.2, 8.4, 13, 0], [5.3, 4.1, 12, 19, 0, 0.5, 1, 1.6, 5, 5.5, 4.8, 88, 46, 1.4]),
  C4: level('cervical', [17, 17.6, 15.4, 15.9, 13.2, 13.5, 1, 1.6, 0.7], [16.5, 24.5, 5.5, 7.2, 5, 44, 0.5, 11, 3.1], [14, 9, 7, 22, 10, 7, 5],
    [12.2, 19.2, 0, 1, 1.2, 8.2, 13.5, 0], [5.4, 4.1, 11.6, 19.2, 0, 0.5, 1, 1.7, 5, 5.3, 5, 87, 46, 1.4]),
  C5: level('cervical', [17.8, 19, 15.4, 16.4, 12.8, 13.2, 1, 1.6, 0.7], [16.7, 25, 5.7, 7, 5, 44, 0.5, 11.5, 3.1], [16, 9, 7, 20, 11, 7, 8],
    [12, 19.5, 0, 1, 1.2, 8, 13.4, 0], [5.6, 4.1, 11.6, 19.4, 0, 0.5, 1, 1.8, 5, 5.2, 5.2, 86, 45, 1.4]),
  C6: level('cervical', [19, 21.5, 16, 17, 12.8, 13.4, 1, 1.6, 0.7], [16.8, 25.2, 6, 7.2, 5, 40, 0.5, 12.5, 3.4], [21, 10, 7, 18, 12, 8, 12],
    [12, 19.5, 0, 1, 1.2, 7.7, 12.8, -0.05], [5.7, 4.3, 11.8, 19, 0, 0.5, 1, 1.8, 5, 5.3, 5.4, 88, 42, 1.5]),
  C7: level('cervical', [21.5, 24.5, 17, 17.6, 14.2, 14.8, 1, 1.6, 0.8], [16.3, 24.5, 6.6, 7.6, 5.5, 32, 1, 14.5, 4.2], [30, 11, 7, 18, 14, 9, 15],
    [12.2, 18.5, 0, 1, 1.2, 7.3, 11.4, -0.1], [5.4, 4.3, 12, 17.5, 0, 0.5, 1.2, 1.8, 5, 5.5, 5.6, 92, 36, 1.5]),
  T1: level('thoracic', [24.5, 27, 17.8, 18.8, 15.8, 16.8, 1, 1.6, 1], [16, 21.5, 8.2, 9.5, 6.5, 26, 2, 17, 5], [30, 11, 7, 25, 20, 10, 25],
    [12, 15.5, 0, 1.2, 1.6, 6.9, 9.8, -0.15], [4.6, 4.2, 12, 15.5, 0, 0.8, 2, 1.8, 5, 6, 5, 100, 25, 1.5]),
  T2: level('thoracic', [25, 27, 19, 20.5, 16.8, 17.6, 1, 1.5, 1.1], [15.7, 19.2, 7.6, 11, 7, 18, 3, 18, 5.4], [30, 11, 6.5, 38, 20, 10, 32],
    [11.8, 14.4, 0, 1.2, 1.8, 6.5, 8.8, -0.25], [4.2, 4.1, 11.8, 14.4, 0, 0.8, 2.2, 1.8, 5, 6.4, 4.6, 104, 20, 1.5]),
  T3: level('thoracic', [24.6, 26, 21.5, 22.5, 17, 18, 1, 1.5, 1.2], [15.8, 18, 6.6, 11.6, 7.5, 13, 3, 19, 5.6], [30, 11, 6.5, 45, 20, 10, 36],
    [11.6, 14, 0, 1.2, 2, 6.4, 8.3, -0.3], [4, 4, 11.6, 14, 0, 0.8, 2.6, 1.8, 5, 6.6, 4.4, 106, 18, 1.5]),
  T4: level('thoracic', [24.5, 26, 23, 24, 17.3, 18.4, 1, 1.5, 1.2], [15.9, 17.2, 6, 11.8, 8, 10, 3, 19.5, 5.8], [31, 11, 6.5, 50, 20, 10, 38],
    [11.6, 13.8, 0, 1.2, 2.2, 6.3, 8.1, -0.35], [4, 4, 11.6, 13.8, 0, 0.8, 3, 1.8, 5, 6.8, 4.4, 106, 17, 1.5]),
  T5: level('thoracic', [25, 27, 24, 25.4, 17.5, 19, 1, 1.5, 1.3], [15.9, 17, 5.8, 11.8, 8, 9, 3.2, 20, 6], [32, 11, 6.5, 54, 20, 10, 40],
    [11.6, 13.7, 0, 1.2, 2.2, 6.3, 8, -0.4], [4.1, 4.1, 11.6, 13.7, 0, 0.8, 3, 1.8, 5, 7, 4.4, 106, 16, 1.5]),
  T6: level('thoracic', [26.2, 28, 25.6, 26.8, 18, 19.8, 1, 1.6, 1.4], [15.9, 17, 5.8, 12, 8, 8, 3.4, 20.5, 6], [32, 11, 6.5, 56, 20, 10, 42],
    [11.6, 13.7, 0, 1.2, 2.2, 6.3, 8, -0.4], [4.3, 4.3, 11.6, 13.7, 0, 0.8, 3, 1.9, 5, 7.2, 4.4, 106, 16, 1.5]),
  T7: level('thoracic', [27.8, 29.3, 27, 28.2, 18.8, 20.6, 1.1, 1.7, 1.5], [15.8, 17.2, 6, 12.2, 8, 7, 3.6, 20.5, 6], [32, 11, 6.5, 56, 19, 10, 42],
    [11.6, 13.8, 0, 1.2, 2.2, 6.3, 8, -0.4], [4.5, 4.5, 11.6, 13.8, 0, 0.8, 3, 1.9, 5, 7.4, 4.4, 106, 15, 1.5]),
  T8: level('thoracic', [29.3, 31, 28, 29.4, 19.6, 21.2, 1.2, 1.8, 1.6], [15.8, 17.5, 6.5, 12.6, 8, 6, 3.8, 20.5, 6.2], [31, 12, 6.5, 54, 18, 10, 44],
    [11.7, 14, 0, 1.2, 2.2, 6.3, 8, -0.35], [4.8, 4.8, 11.7, 14, 0, 0.8, 3, 2, 5, 7.6, 4.5, 105, 14, 1.5]),
  T9: level('thoracic', [30.8, 33, 29.2, 30.4, 20.4, 21.8, 1.3, 1.9, 1.7], [15.8, 17.9, 7.2, 13.6, 8, 6, 4, 20.5, 6.2], [30, 13, 6.5, 48, 17, 10, 45],
    [12, 14.3, 0, 1.2, 2, 6.5, 8.2, -0.25], [5.2, 5.2, 12, 14.3, 0, 0.8, 3, 2.1, 5, 7.8, 4.7, 104, 13, 1.6]),
  T10: level('thoracic', [32.5, 35, 30.2, 31.2, 21.4, 22.6, 1.4, 2, 1.8], [15.8, 18.4, 7.8, 14.6, 8, 5, 4.2, 20.5, 6.4], [28, 13, 6.5, 38, 15, 10, 46],
    [12.4, 14.8, 0, 1.2, 1.8, 6.8, 8.6, -0.1], [5.8, 5.6, 12.4, 14.8, 0, 0.8, 2.8, 2.2, 5, 8, 5, 100, 11, 1.7]),
  T11: level('thoracic', [35.5, 38, 31.2, 32, 22.6, 24, 1.5, 2.1, 1.9], [16.4, 19.6, 8.8, 15.6, 8, 4, 4.4, 20.5, 6.6], [27, 15, 6.5, 24, 11, 10, 46],
    [13, 15.6, 0, 1.2, 1.6, 7.4, 9.2, 0.05], [6.6, 6, 13, 15.6, 0.05, 0.8, 2.6, 2.4, 5.4, 8.2, 5.3, 85, 9, 1.9]),
  T12: level('thoracic', [39, 41, 32.2, 33.2, 24.2, 25.6, 1.6, 2.2, 2], [17.8, 22, 8.8, 16, 8, 4, 4.4, 20.5, 6.8], [27, 17, 6.5, 14, 9, 10, 46],
    [13.8, 16.6, 0, 1.3, 1.4, 7.8, 9.4, 0.15], [7.4, 6.2, 13.8, 16.8, 0.1, 0.8, 2.6, 2.6, 6, 8.2, 5.6, 36, 6, 2.2]),
  L1: level('lumbar', [41.5, 43.5, 33.5, 34.5, 26, 27.2, 1.7, 2.4, 2.2], [18.6, 23.4, 8.4, 15.8, 8.5, 8, 4.6, 20.5, 6.4], [29, 19.5, 7, 9, 18, 9, 22],
    [14.3, 17.2, 0.05, 1.5, 1.2, 7.6, 8.6, 0.3], [9, 7, 13.9, 17.6, 0.15, 0.8, 3, 2.9, 6.4, 8.4, 6, 30, 4, 2.4]),
  L2: level('lumbar', [43, 45, 34.4, 35, 26.8, 27.4, 1.8, 2.5, 2.4], [18, 23.6, 8.6, 15.2, 8.5, 9, 4.6, 20.5, 6.4], [31, 20.5, 7.5, 8, 22, 9, 14],
    [13.8, 17.2, 0.1, 1.6, 1.2, 6.6, 7.4, 0.4], [10.4, 7.7, 13.2, 17.2, 0.2, 0.8, 3.6, 3.1, 6.4, 8.4, 6.4, 33, 4, 2.5]),
  L3: level('lumbar', [45, 47.5, 35, 35.4, 27.2, 27.2, 1.9, 2.6, 2.5], [17.6, 24.2, 10, 14.6, 8, 12, 4.6, 20, 6.6], [31, 20.5, 8, 8, 28, 9, 8],
    [13.3, 17.2, 0.15, 2, 1.2, 4, 4, 0.4], [12, 7.8, 12.7, 17.2, 0.25, 1, 4, 3.3, 6.4, 8.2, 6.8, 38, 4, 2.5]),
  L4: level('lumbar', [47.5, 49.5, 35.5, 35, 27.4, 26.2, 1.9, 2.5, 2.5], [18, 25.4, 13, 14.6, 7, 16, 4.4, 18.5, 6.8], [28, 18, 8, 8, 24, 9, 10],
    [13, 17.6, 0.15, 2.3, 1.2, 4, 4, 0.4], [13.6, 8, 12.4, 17.6, 0.3, 1.2, 4.2, 3.4, 6.2, 7.8, 7, 45, 5, 2.5]),
  L5: level('lumbar', [49.5, 49, 35.3, 34, 28.4, 24.8, 1.8, 2, 2.4], [18.8, 27.2, 17, 15.6, 6, 24, 4, 15, 6.6], [18, 12, 7.5, 14, 22, 11, 16],
    [12.4, 17.4, 0.15, 3.6, 1.2, 4, 4, 0.4], [14.6, 6.4, 11.8, 16.6, 0.25, 3, 3.6, 3.2, 6, 7.6, 7.2, 52, 6, 2.4]),
  S1: level('sacral', [49, 32, 33.5, 23, 29, 27, 0.8, 0.4, 1.5], [16.5, 31, 15, 14, 8, 26, 4, 11, 4.5], [9, 10, 7, 20, 20, 14, 20],
    [11.2, 15.6, 0.1, 5, 1.2, 4, 4, 0.4], [2.6, 2.4, 10, 14, 0, 4.6, 1, 0.5, 5, 7, 6, 90, 0, 1]),
  S2: level('sacral', [31, 25, 21.5, 17, 23.5, 25, 0.4, 0.4, 1], [13, 26, 12, 12, 6, 26, 2, 12, 4], [11, 14, 6, 5, 16, 12, 20],
    [8, 11, 0, 4, 1, 4, 4, 0.4], [1.8, 1.7, 6.5, 8, 0, 3.5, 1, 0.5, 4, 6, 5, 90, 0, 1]),
  S3: level('sacral', [25, 20, 16, 12, 19, 22, 0.3, 0.3, 0.8], [10, 20, 10, 10, 5, 26, 1, 11, 3.5], [9, 13, 5, 5, 12, 10, 20],
    [5, 6, 0, 3, 1, 4, 4, 0.4], [1.4, 1.4, 5, 6, 0, 2.5, 1, 0.5, 4, 5, 4, 90, 0, 1]),
  S4: level('sacral', [20, 16, 12, 9.5, 16, 19, 0.2, 0.2, 0.6], [8, 16, 8, 8, 4, 26, 0, 9, 3], [6, 11, 4, 5, 8, 8, 20],
    [4, 5, 0, 2, 1, 4, 4, 0.4], [1.2, 1.2, 4, 5, 0, 2, 1, 0.5, 4, 4, 3, 90, 0, 1]),
  S5: level('sacral', [16, 12, 9.5, 8, 14, 16, 0.2, 0.2, 0.5], [6, 12, 6, 6, 3, 26, 0, 7, 2.5], [3, 8, 4, 5, 5, 7, 20],
    [4, 5, 0, 2, 1, 4, 4, 0.4], [1.6, 1.6, 4, 5, 0, 2, 1, 0.5, 4, 4, 3, 90, 0, 1]),
  Co1: level('coccygeal', [11, 8, 7.5, 6.5, 10, 11, 0.2, 0.2, 0.4], [4, 8, 4, 4, 2, 26, 0, 4, 2], [2, 4, 3, 5, 4, 5, 20],
    [4, 5, 0, 2, 1, 4, 4, 0.4], [1, 1, 4, 5, 0, 2, 1, 0.5, 4, 4, 3, 90, 0, 1]),
};

const presacral = [...namesOf('C', 2, 7), ...namesOf('T', 1, 12)];
const sacral = [...namesOf('S', 1, 5), 'Co1'];
/** Whose measures the lumbar vertebrae have, by their number. */
const lumbarModels = {
  4: ['L1', 'L2', 'L4', 'L5'],
  5: ['L1', 'L2', 'L3', 'L4', 'L5'],
  6: ['L1', 'L2', 'L3', 'L3', 'L4', 'L5'],
} as const;

/**
 * A healthy person.
 * @param seed integer from 0 to 2^32 - 1
 * @throws SIM_ERR_OPTION
 */
export function drawSpine(seed: number, options: PopulationOptions = {}): SpinePlan {
  checkOptions(options);
  const person = streamOf(seed, 'person');
  // All are drawn, whatever is given: what is given leaves the rest as it was.
  const [sexDraw, ageDraw, statureDraw, canalDraw, lordosisDraw, marrowDraw] =
    [person.uniform(), person.uniform(), cutNormal(person), cutNormal(person), cutNormal(person), cutNormal(person)];
  const sex = options.sex ?? (sexDraw < 0.5 ? 'female' : 'male');
  const ageYears = options.ageYears ?? Math.round(20 + 50 * ageDraw);
  const statureScale = options.statureScale ?? 1 + 0.04 * statureDraw;
  const habitus = streamOf(seed, 'habitus');
  const fatScale = Math.exp(0.35 * cutNormal(habitus));
  // Muscle turns to fat with age.
  const muscleFat = Math.max(0.02, 0.04 + 0.003 * (ageYears - 20) + 0.03 * cutNormal(habitus));
  const transition = drawTransition(streamOf(seed, 'transition'), options.nLumbar);

  const models = [...presacral, ...lumbarModels[transition.nLumbar], ...sacral];
  const names = [...presacral, ...namesOf('L', 1, transition.nLumbar), ...sacral];
  const nLevels = names.length;
  const smooth = (group: string) => smoothSequence(streamOf(seed, group), nLevels);
  const [width, depth, height, discHeight, bonyCanal, sacSize, arch] =
    ['width', 'depth', 'height', 'disc', 'canal', 'sac', 'arch'].map(smooth) as [number[], number[], number[], number[], number[], number[], number[]];
  const male = sex === 'male';
  const breadthScale = statureScale * (male ? 1.05 : 0.95);
  const heightScale = statureScale * (male ? 1.03 : 0.97);
  const canalScale = (1 + 0.07 * canalDraw) * (1 + 0.3 * (statureScale - 1));

  const vertebrae = models.map((model, index): VertebraPlan => {
    const random = streamOf(seed, `vertebra ${index}`);
    const { kind, body, arch: bone, processes, sac } = atlas[model]!;
    const breadth = breadthScale * (1 + 0.025 * width[index]!);
    const deep = breadthScale * (1 + 0.03 * depth[index]!);
    const tall = heightScale * (1 + 0.03 * height[index]!);
    const canal = canalScale * (1 + 0.03 * bonyCanal[index]!);
    const posterior = statureScale * (1 + 0.05 * arch[index]!);
    const wobble = (sd: number) => 1 + sd * cutNormal(random);
    const [spinousLength, spinousHeight, spinousThickness, spinousSlope, transverseLength, transverseHeight, backward] = processes;
    return {
      name: names[index]!,
      kind,
      body: {
        upperWidthMm: body[0] * breadth,
        lowerWidthMm: body[1] * breadth,
        upperDepthMm: body[2] * deep,
        lowerDepthMm: body[3] * deep,
        anteriorHeightMm: body[4] * tall * wobble(0.008),
        posteriorHeightMm: body[5] * tall * wobble(0.008),
        coronalWedgeMm: 0.15 * cutNormal(random),
        upperConcavityMm: body[6] * wobble(0.2),
        lowerConcavityMm: body[7] * wobble(0.2),
        waistMm: body[8] * wobble(0.15),
        posteriorConcavityMm: (kind === 'lumbar' ? (names[index] === `L${transition.nLumbar}` ? 0.3 : 1) : 0.6) * wobble(0.2),
        uncinateMm: kind === 'cervical' ? 4 * wobble(0.15) : 0,
        cortexMm: (kind === 'cervical' ? 0.6 : 0.7) * wobble(0.1),
        endplateMm: (kind === 'cervical' ? 0.8 : 1) * wobble(0.1),
        endplateRoughnessMm: 0.12 * wobble(0.3),
        dents: [],
      },
      canal: { depthMm: bone[0] * canal, widthMm: bone[1] * canal },
      pedicle: {
        widthMm: bone[2] * posterior * wobble(0.06),
        heightMm: bone[3] * posterior,
        lengthMm: bone[4] * posterior,
        angleDeg: bone[5] + 2 * cutNormal(random),
        raisedMm: bone[6] * tall,
      },
      lamina: { heightMm: bone[7] * posterior, thicknessMm: bone[8] * posterior },
      spinous: {
        lengthMm: spinousLength * posterior * wobble(0.08),
        heightMm: spinousHeight * posterior * wobble(0.06),
        thicknessMm: spinousThickness * posterior * wobble(0.06),
        slopeDeg: spinousSlope + 3 * cutNormal(random),
        deviationDeg: 2.5 * cutNormal(random),
        bifid: kind === 'axis' || (kind === 'cervical' && model !== 'C7' && random.uniform() < 0.7),
      },
      transverse: perSide((side) => {
        // Castellvi's: broad from the first type on (19 mm and more), and longer where they reach the sacrum.
        const castellvi = names[index] === `L${transition.nLumbar}` ? transition.castellvi[side] : 0;
        const [longer, higher] = castellvi === 0 ? [1, 1] : [castellvi === 1 ? 1.05 : 1.25, 2];
        return {
          lengthMm: transverseLength * longer * posterior * wobble(0.08),
          heightMm: transverseHeight * higher * posterior * wobble(0.06),
          backwardDeg: backward + 3 * cutNormal(random),
        };
      }),
      parsCleftMm: { left: 0, right: 0 },
      marrow: drawMarrow(random, kind, sex, ageYears, marrowDraw),
      sac: {
        apMm: sac[0] * canal * (1 + 0.03 * sacSize[index]!),
        transverseMm: sac[1] * canal * (1 + 0.03 * sacSize[index]!),
        triangularity: sac[2],
        anteriorGapMm: sac[3] * wobble(0.15),
        posteriorGapMm: sac[4] * wobble(0.15),
        shiftMm: 0,
      },
    };
  });

  const wedge = streamOf(seed, 'wedge');
  const segments = models.slice(0, -1).map((model, index): SegmentPlan => {
    const random = streamOf(seed, `segment ${index}`);
    const upper = vertebrae[index]!;
    const row = atlas[model]!.segment;
    const [front, back, sacAp, sacTransverse, triangularity, gapBefore, gapBehind, flavum, recess, foramen, ganglion, facetAngle, tilt, space] = row;
    const canal = canalScale * (1 + 0.03 * bonyCanal[index]!);
    const disc = heightScale * (1 + 0.07 * discHeight[index]!);
    const wobble = (sd: number) => 1 + sd * cutNormal(random);
    const mobile = upper.kind !== 'sacral';
    const degeneration = mobile ? drawDegeneration(random, names[index]!, transition.nLumbar, ageYears) : 3;
    // A disc that dries out gets lower.
    const loss = mobile ? 1 - 0.04 * Math.max(0, degeneration - 1.5) : 1;
    return {
      name: `${names[index]!}-${names[index + 1]!}`,
      disc: {
        anteriorHeightMm: Math.max(1, (front * disc + 0.25 * cutNormal(wedge)) * loss),
        posteriorHeightMm: Math.max(1, (back * disc + 0.25 * cutNormal(wedge)) * loss),
        coronalWedgeMm: 0,
        nucleusShare: 0.55 * wobble(0.08),
        degeneration,
        bulgeMm: {
          anterior: 0.8 * wobble(0.3) + 0.4 * (degeneration - 1.5),
          posterior: 0.25 * wobble(0.8) + 0.35 * (degeneration - 1.5),
          left: 0.6 * wobble(0.3) + 0.4 * (degeneration - 1.5),
          right: 0.6 * wobble(0.3) + 0.4 * (degeneration - 1.5),
        },
        herniations: [],
        fissures: [],
        vacuumShare: 0,
      },
      alignment: { slipMm: 0.25 * cutNormal(random), lateralSlipMm: 0, axialDeg: 0.6 * cutNormal(random) },
      facets: perSide(() => ({
        angleDeg: facetAngle + (mobile ? 3.5 * cutNormal(random) : 0),
        tiltDeg: tilt + 2 * cutNormal(random),
        jointSpaceMm: space * wobble(0.08),
        effusion: 0.25 * wobble(0.6),
        hypertrophyMm: 0,
      })),
      foramina: perSide(() => ({
        widthMm: foramen * statureScale * wobble(0.07),
        ganglionMm: ganglion * wobble(0.08),
        fatShare: 1,
      })),
      sac: {
        apMm: sacAp * canal * (1 + 0.03 * sacSize[index]!),
        transverseMm: sacTransverse * canal * (1 + 0.03 * sacSize[index]!),
        triangularity,
        anteriorGapMm: gapBefore * wobble(0.15),
        posteriorGapMm: gapBehind * wobble(0.25),
        shiftMm: 0,
      },
      flavumMm: perSide(() => flavum * wobble(0.08)),
      lateralRecessMm: perSide(() => recess * wobble(0.08)),
    };
  });

  const cordSize = 1 + 0.06 * cutNormal(streamOf(seed, 'cord'));
  const sections = models.map((model, index): CordSection => {
    const [, , , , , apMm, transverseMm, posteriorShift] = atlas[model]!.sac;
    return { vertebra: names[index]!, apMm: apMm * cordSize, transverseMm: transverseMm * cordSize, posteriorShift };
  });
  // T12 is vertebra 17 of those from C2 on: the lower third of L1 lies at 18.8.
  const conus = streamOf(seed, 'conus');
  const conusAt = 18.8 + 0.55 * cutNormal(conus);
  const sacEndAt = names.indexOf('S2') + 0.5 + 0.35 * cutNormal(conus);
  const place = (at: number) => ({ vertebra: names[Math.floor(at)]!, share: at - Math.floor(at) });

  const plan: SpinePlan = {
    seed,
    sex,
    ageYears,
    statureScale,
    region: options.region ?? 'lumbar',
    habitus: { fatScale, muscleFat },
    vertebrae,
    segments,
    cord: { sections, conus: place(conusAt) },
    sac: { end: place(sacEndAt) },
    transition,
    lesions: [],
  };
  const lordosisDeg = options.lordosisDeg ?? 46 + 9 * lordosisDraw;
  const scoliosis = streamOf(seed, 'scoliosis');
  return withScoliosis(withLordosis(plan, lordosisDeg), options.scoliosisDeg ?? 2.5 * cutNormal(scoliosis));
}

/** L1's upper endplate to S1's, degrees; positive is lordosis. What the wedges of bodies and discs add up to. */
export function lordosisOf(plan: SpinePlan): number {
  const { bodies, discs } = lumbarParts(plan);
  const ofBodies = bodies.map(({ body }) => wedgeDeg(body.anteriorHeightMm - body.posteriorHeightMm, meanDepth(body)));
  const ofDiscs = discs.map(({ segment, depthMm }) => wedgeDeg(segment.disc.anteriorHeightMm - segment.disc.posteriorHeightMm, depthMm));
  return [...ofBodies, ...ofDiscs].reduce((sum, angle) => sum + angle, 0);
}

/**
 * The plan with another lordosis from L1 to S1: the lumbar discs are wedged more or less, at the same mean
 * height as far as they are high enough. Thoracic kyphosis and cervical lordosis stay.
 */
export function withLordosis(plan: SpinePlan, lordosisDeg: number): SpinePlan {
  const { discs } = lumbarParts(plan);
  // Lower discs take more of it.
  const share = new Map(discs.map(({ segment, depthMm }, index) => [segment.name, { depthMm, weight: (2 * (index + 1)) / (discs.length * (discs.length + 1)) }]));
  const bent = (from: SpinePlan): SpinePlan => {
    const missing = lordosisDeg - lordosisOf(from);
    return {
      ...from,
      segments: from.segments.map((segment) => {
        const own = share.get(segment.name);
        if (own === undefined) return segment;
        const { anteriorHeightMm, posteriorHeightMm } = segment.disc;
        const wedge = anteriorHeightMm - posteriorHeightMm + own.depthMm * Math.tan((missing * own.weight * Math.PI) / 180);
        const mean = Math.max((anteriorHeightMm + posteriorHeightMm) / 2, 3 + Math.abs(wedge) / 2);
        return { ...segment, disc: { ...segment.disc, anteriorHeightMm: mean + wedge / 2, posteriorHeightMm: mean - wedge / 2 } };
      }),
    };
  };
  // Angles are not quite proportional to wedges: three rounds leave a thousandth of a degree.
  return bent(bent(bent(plan)));
}

/**
 * The plan bent sideways: from T11 to L4 by Cobb's angle, its apex at L1-L2, and half as much the other way above and
 * below, so that the pelvis stays level. Three tenths of each bend are in the bodies, the rest in the discs. Vertebrae
 * turn into the convexity, at the apex by 0.3 degrees for each of the curve.
 * @param cobbDeg convex to the left where positive
 */
export function withScoliosis(plan: SpinePlan, cobbDeg: number): SpinePlan {
  const apex = plan.segments.findIndex(({ name }) => name === 'L1-L2');
  const last = plan.vertebrae.findLastIndex(({ kind }) => kind === 'lumbar');
  const curve = (away: number) => Math.cos((away / 3) * (Math.PI / 2));
  const main = [-2, -1, 0, 1, 2].reduce((sum, away) => sum + curve(away), 0);
  /** Share of Cobb's angle between the neighbours of a segment. */
  const bend = (index: number) => {
    const away = index - apex;
    if (Math.abs(away) <= 2) return curve(away) / main;
    if (away > 2) return index <= last ? -0.5 / (last - apex - 2) : 0;
    return away >= -8 ? -0.5 / 6 : 0;
  };
  const wedgeMm = (widthMm: number, share: number) => widthMm * Math.tan((cobbDeg * share * Math.PI) / 180);
  return {
    ...plan,
    vertebrae: plan.vertebrae.map((vertebra, index) => {
      const width = (vertebra.body.upperWidthMm + vertebra.body.lowerWidthMm) / 2;
      const share = 0.15 * (bend(index - 1) + (index < plan.segments.length ? bend(index) : 0));
      return { ...vertebra, body: { ...vertebra.body, coronalWedgeMm: vertebra.body.coronalWedgeMm + wedgeMm(width, share) } };
    }),
    segments: plan.segments.map((segment, index) => {
      const width = plan.vertebrae[index]!.body.lowerWidthMm;
      const turn = (0.3 * cobbDeg * (bend(index - 1) - bend(index + 1))) / 2 / bend(apex);
      return {
        ...segment,
        disc: { ...segment.disc, coronalWedgeMm: segment.disc.coronalWedgeMm + wedgeMm(width, 0.7 * bend(index)) },
        alignment: { ...segment.alignment, axialDeg: segment.alignment.axialDeg + turn },
      };
    }),
  };
}

function lumbarParts(plan: SpinePlan) {
  const first = plan.vertebrae.findIndex(({ name }) => name === 'L1');
  const bodies = plan.vertebrae.filter(({ kind }) => kind === 'lumbar');
  const discs = bodies.map(({ body }, index) => {
    const below = plan.vertebrae[first + index + 1]!.body;
    return { segment: plan.segments[first + index]!, depthMm: (body.lowerDepthMm + below.upperDepthMm) / 2 };
  });
  return { bodies, discs };
}

function meanDepth({ upperDepthMm, lowerDepthMm }: { upperDepthMm: number; lowerDepthMm: number }): number {
  return (upperDepthMm + lowerDepthMm) / 2;
}

function wedgeDeg(differenceMm: number, depthMm: number): number {
  return (Math.atan(differenceMm / depthMm) * 180) / Math.PI;
}

/** Fat fraction rises with age, in women steeply after fifty; less of it in the neck, least in the thorax. */
function drawMarrow(random: Random, kind: VertebraKind, sex: Sex, ageYears: number, personal: number): VertebraPlan['marrow'] {
  const years = ageYears - 20;
  const menopause = sex === 'female' ? 0.12 / (1 + Math.exp((52 - ageYears) / 4)) - 0.03 : 0;
  const byKind = { axis: -0.05, cervical: -0.05, thoracic: -0.04, lumbar: 0, sacral: 0.06, coccygeal: 0.2 }[kind];
  return {
    fatFraction: Math.min(0.75, Math.max(0.15, 0.29 + 0.004 * years + menopause + byKind + 0.035 * personal + 0.01 * cutNormal(random))),
    heterogeneity: 0.06 + 0.0012 * years + 0.02 * random.uniform(),
    grainMm: 2.2 + 1.6 * random.uniform(),
    focalFat: Math.min(1, 0.15 + 0.01 * years * random.uniform()),
  };
}

/** Between 1 and 3.2 where nothing ails: discs dry out with age, lower lumbar and mid-cervical ones first. */
function drawDegeneration(random: Random, upper: string, nLumbar: number, ageYears: number): number {
  const lowest = upper === `L${nLumbar}` || upper === `L${nLumbar - 1}`;
  const strained = lowest || upper === 'C5' || upper === 'C4';
  const grade = 1.3 + 0.018 * (ageYears - 20) + (strained ? 0.3 : 0) + 0.25 * cutNormal(random);
  return Math.min(3.2, Math.max(1, grade));
}

function drawTransition(random: Random, nLumbar: 4 | 5 | 6 | undefined): TransitionPlan {
  const [draw, left, right] = [random.uniform(), random.uniform(), random.uniform()];
  const n = nLumbar ?? (draw < 0.03 ? 4 : draw > 0.97 ? 6 : 5);
  const kind = n === 4 ? 'sacralisation' : n === 6 ? 'lumbarisation' : 'none';
  const fused = (share: number): 0 | 1 | 2 | 3 => (share < 0.5 ? 1 : share < 0.85 ? 2 : 3);
  const transitional = n !== 5 || (draw > 0.9 && draw < 0.97);
  const castellvi: PerSide<0 | 1 | 2 | 3> = transitional ? perSide((side: Side) => fused(side === 'left' ? left : right)) : { left: 0, right: 0 };
  return { kind, nLumbar: n, castellvi };
}

/** A generator for one group of draws: another group may grow without changing it. */
function streamOf(seed: number, group: string): Random {
  return new Random(seedOf(seed, group));
}

/** An integer from a seed and a name (FNV-1a, Fowler, Noll and Vo). */
export function seedOf(seed: number, name: string): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (const character of `${name} ${seed}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return hash;
}

/** Standard normal, nothing beyond 2.2. */
function cutNormal(random: Random): number {
  let value = random.normal();
  while (Math.abs(value) > 2.2) value = random.normal();
  return value;
}

function smoothSequence(random: Random, length: number): number[] {
  const rho = 0.7;
  const fresh = Math.sqrt(1 - rho * rho);
  let value = cutNormal(random);
  return Array.from({ length }, () => (value = Math.min(2.2, Math.max(-2.2, rho * value + fresh * cutNormal(random)))));
}

function namesOf(letter: string, first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`);
}

function checkOptions({ ageYears = 40, statureScale = 1, lordosisDeg = 45, scoliosisDeg = 0 }: PopulationOptions): void {
  const within = (value: number, low: number, high: number) => value >= low && value <= high;
  if (!within(ageYears, 18, 90)) throw simulatorError('SIM_ERR_OPTION', `an age of ${ageYears} years, not 18 to 90`);
  if (!within(statureScale, 0.85, 1.15)) throw simulatorError('SIM_ERR_OPTION', `a stature of ${statureScale}, not 0.85 to 1.15`);
  if (!within(lordosisDeg, 15, 75)) throw simulatorError('SIM_ERR_OPTION', `a lordosis of ${lordosisDeg} degrees, not 15 to 75`);
  if (!within(scoliosisDeg, -60, 60)) throw simulatorError('SIM_ERR_OPTION', `a scoliosis of ${scoliosisDeg} degrees, not -60 to 60`);
}
