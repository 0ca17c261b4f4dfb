/**
 * Height and degeneration of a disc in its midsagittal section.
 *
 * Heights are gaps between the bodies at a tenth, the half and nine tenths of the depth that both bodies share.
 *
 *   height index = (anterior + posterior) / (depth of the body above + depth of the one below)
 *
 * (Dabbs and Dabbs 1990, Spine 15:1366). Pfirrmann's grade (2001, Spine 26:1873) rests on what his algorithm asks:
 *
 *   V    the space has collapsed: height index below half of the region's mean
 *   IV   no nucleus to be told from the annulus: its mean T2 below the mean of grades III and IV
 *   III  grey: T2 below the mean of grades II and III
 *   II   bright, but uneven (the nucleus varies by more than `homogeneous`) or below the mean of grade II
 *   I    bright and even
 *
 * T2 of the nucleus at 1.5 T by grade: II 108, IV 53 ms (Marinelli 2010, doi 10.3174/ajnr.A2080), III half way
 * between. Signal tells grades I to IV apart, height only V (Salamat 2016, doi 10.1186/s40064-016-2542-5). The
 * nucleus is the middle half of the depth and of the height.
 */
import type { FieldStrengthT } from '../../imaging/index.js';
import type { Anatomy } from '../anatomy/index.js';
import { bodyLabel, discLabel, type SegmentSite } from '../spine/index.js';
import { range } from './canal.js';
import { planeOf, Section, sectionStepMm, type Cut } from './section.js';
import { shares } from './vertebra.js';
import { paintParameters, parameterNames } from './volumes.js';

export interface DiscHeights {
  readonly anteriorMm: number;
  readonly middleMm: number;
  readonly posteriorMm: number;
  readonly heightIndex: number;
}

export interface Degeneration {
  readonly pfirrmann: '1' | '2' | '3' | '4' | '5';
  readonly nucleusT2Ms: number;
  /** Standard deviation over mean, of T2 from place to place. */
  readonly nucleusVariation: number;
  /** T2-weighted signal (spin echo, TE 100 ms, full recovery) against CSF. */
  readonly signalRatio: number;
  readonly heightIndex: number;
}

/** Means of healthy discs: lumbar 0.30, thoracic 0.19, cervical 0.36; half of them. Ours. */
const collapsedIndex = { C: 0.18, T: 0.095, L: 0.15 } as const;
const t2ByGradeMs = { II: 108, III: 80.5, IV: 53 } as const;
/** T2 of nuclei at 3 T over that at 1.5 T, as in imaging/tissues.ts. */
const t2At3T = 0.885;
export const homogeneous = 0.08;
const echoTimeMs = 100;

function discCut({ halfDepthMm }: SegmentSite): Cut {
  const reach = halfDepthMm + 14;
  return { orientation: 'sagittal', u: [-reach, reach], v: [-22, 22] };
}

export function discSection(anatomy: Anatomy, site: SegmentSite): Section {
  return new Section(anatomy, site.frame, discCut(site));
}

/** Undefined where the section lacks a body. */
export function measureDiscHeights(section: Section, segment: string): DiscHeights | undefined {
  const found = spaceBetween(section, segment);
  if (found === undefined) return undefined;
  const { columnAt, gapMm, depthsMm } = found;
  const [anteriorMm, middleMm, posteriorMm] = [shares.anterior, shares.middle, shares.posterior].map((share) => gapMm(columnAt(share)));
  return {
    anteriorMm: anteriorMm!,
    middleMm: middleMm!,
    posteriorMm: posteriorMm!,
    heightIndex: (anteriorMm! + posteriorMm!) / (depthsMm[0] + depthsMm[1]),
  };
}

function spaceBetween(section: Section, segment: string) {
  const [upper, lower] = segment.split('-') as [string, string];
  const [above, below] = [upper, lower].map((name) => {
    const label = bodyLabel(name);
    return section.mask((other) => other === label);
  }) as [ReturnType<Section['mask']>, ReturnType<Section['mask']>];
  const [a, b] = [above.columns(), below.columns()];
  if (a === undefined || b === undefined) return undefined;
  const [first, last] = [Math.max(a[0], b[0]), Math.min(a[1], b[1])];
  if (last <= first) return undefined;
  const rowsAt = (column: number): readonly [number, number] | undefined => {
    const [top, base] = [above.rowsOf(column), below.rowsOf(column)];
    return top === undefined || base === undefined ? undefined : [top[1] + 1, base[0] - 1];
  };
  return {
    columnAt: (share: number) => Math.round(first + share * (last - first)),
    rowsAt,
    gapMm: (column: number) => {
      const rows = rowsAt(column);
      return rows === undefined ? 0 : Math.max(0, rows[1] - rows[0] + 1) * section.stepMm;
    },
    depthsMm: [(a[1] - a[0] + 1) * section.stepMm, (b[1] - b[0] + 1) * section.stepMm] as const,
  };
}

export function measureDegeneration(
  anatomy: Anatomy,
  site: SegmentSite,
  section: Section,
  fieldStrengthT: FieldStrengthT,
): Degeneration | undefined {
  const segment = site.plan.name;
  const space = spaceBetween(section, segment);
  const heights = measureDiscHeights(section, segment);
  if (space === undefined || heights === undefined) return undefined;
  const plane = planeOf(site.frame, discCut(site), sectionStepMm);
  const maps = paintParameters(anatomy, [plane]);
  const map = (name: (typeof parameterNames)[number]) => maps[parameterNames.indexOf(name)]!;
  const [pd, t2, fat] = [map('protonDensity'), map('t2Ms'), map('fatFraction')];
  const label = discLabel(segment);
  let [n, sum, squares, signal] = [0, 0, 0, 0];
  for (const column of range(space.columnAt(0.25), space.columnAt(0.75))) {
    const rows = space.rowsAt(column);
    if (rows === undefined) continue;
    const quarter = (rows[1] - rows[0]) / 4;
    for (const row of range(Math.ceil(rows[0] + quarter), Math.floor(rows[1] - quarter))) {
      if (section.label(row, column) !== label) continue;
      const pixel = row * section.nColumns + column;
      n++;
      sum += t2[pixel]!;
      squares += t2[pixel]! ** 2;
      signal += t2Signal(pd[pixel]! * (1 - fat[pixel]!), t2[pixel]!);
    }
  }
  if (n === 0) return undefined;
  const nucleusT2Ms = sum / n;
  const nucleusVariation = Math.sqrt(Math.max(0, squares / n - nucleusT2Ms ** 2)) / nucleusT2Ms;
  const csf = anatomy.tissues.get('csf');
  const signalRatio = csf === undefined ? 0 : signal / n / t2Signal(csf.protonDensity, csf.t2Ms);
  const { heightIndex } = heights;
  return {
    pfirrmann: pfirrmannOf(segment, nucleusT2Ms, nucleusVariation, heightIndex, fieldStrengthT),
    nucleusT2Ms, nucleusVariation, signalRatio, heightIndex,
  };
}

export function pfirrmannOf(
  segment: string, nucleusT2Ms: number, nucleusVariation: number, heightIndex: number, fieldStrengthT: FieldStrengthT,
): Degeneration['pfirrmann'] {
  if (heightIndex < collapsedIndex[segment[0] as keyof typeof collapsedIndex]) return '5';
  const [grey, dark] = greyAndDarkT2Ms(fieldStrengthT);
  if (nucleusT2Ms < dark) return '4';
  if (nucleusT2Ms < grey) return '3';
  return nucleusVariation > homogeneous || nucleusT2Ms < brightT2Ms(fieldStrengthT) ? '2' : '1';
}

/** T2 below which a nucleus is grey, and below which it is dark. */
export function greyAndDarkT2Ms(fieldStrengthT: FieldStrengthT): readonly [number, number] {
  const { II, III, IV } = t2ByGradeMs;
  return [(atField(II, fieldStrengthT) + atField(III, fieldStrengthT)) / 2, (atField(III, fieldStrengthT) + atField(IV, fieldStrengthT)) / 2];
}

/** T2 from which on an even nucleus is that of a healthy disc. */
export function brightT2Ms(fieldStrengthT: FieldStrengthT): number {
  return atField(t2ByGradeMs.II, fieldStrengthT);
}

function atField(t2Ms: number, fieldStrengthT: FieldStrengthT): number {
  return fieldStrengthT === 3 ? t2At3T * t2Ms : t2Ms;
}

function t2Signal(protons: number, t2Ms: number): number {
  return t2Ms > 0 ? protons * Math.exp(-echoTimeMs / t2Ms) : 0;
}
