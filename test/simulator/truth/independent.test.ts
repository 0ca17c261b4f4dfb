/**
 * Grades in the truth against those of a reader who knows nothing but the painted volumes (reader.ts). Values that
 * lie nearer to a cut-off than a voxel can tell are left out; of the others every grade must be the same.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { ImageGeometry, Volume } from '../../../imaging/index.js';
import { lesionBuilders, lesionCodes, parsePathologies, placePathologies } from '../../../simulator/pathology/index.js';
import { buildSpine, builtVertebrae, drawSpine, labelTable, type SpinePlan, type SpineScene } from '../../../simulator/spine/index.js';
import { gradeOf, labelVolumes, measureTruth, parameterVolumes, scales, truthSchema, type Scale, type Truth } from '../../../simulator/truth/index.js';
import { gradeFractures } from '../../../simulator/truth/vertebra.js';
import { Reader } from './reader.js';

const voxelMm = 0.8;
const fieldStrengthT = 1.5;

interface Case {
  readonly text: string;
  readonly seed: number;
  readonly region: 'lumbar' | 'cervical';
  readonly ends: readonly [string, string];
}

const cases: readonly Case[] = [
  {
    text: 'stenosis:L4-L5:severe,stenosis:L2-L3:mild,fracture:L1:2:shape=wedge:cause=osteoporotic,degeneration:L2-L3:4,listhesis:L5-S1:2,haemangioma:L3:moderate',
    seed: 5, region: 'lumbar', ends: ['T11', 'S1'],
  },
  {
    text: 'stenosis:L3-L4:moderate,fracture:L2:3:shape=crush:cause=osteoporotic,degeneration:L4-L5:5,degeneration:L3-L4:3,modic1:L5-S1:large:endplate=both,metastasis:L4:moderate:breach=no:epidural=no',
    seed: 11, region: 'lumbar', ends: ['T12', 'S1'],
  },
  { text: 'modicmixed:L3-L4:large:endplate=upper:types=1/2,modic3:L4-L5:large:endplate=both,modic2:L1-L2:large:endplate=lower', seed: 14, region: 'lumbar', ends: ['T12', 'S1'] },
  { text: 'plaque:C4:mm=16,contusion:C6:mm=30,degeneration:C5-C6:4', seed: 8, region: 'cervical', ends: ['C3', 'C7'] },
];

describe.each(cases)('$text', ({ text, seed, region, ends }) => {
  let truth: Truth;
  let reader: Reader;
  let lesions: Volume<Uint8Array>;
  let t2: Volume;
  const asked = text.split(',').map((item) => item.split(':'));

  beforeAll(() => {
    const plan = drawSpine(seed, { region, ageYears: 50, nLumbar: 5 });
    const build = (changed: SpinePlan) => buildSpine(changed, { fieldStrengthT, lesionBuilders, surroundings: false });
    const levels = builtVertebrae(plan);
    const placed = placePathologies(plan, parsePathologies(text, levels), { fieldStrengthT, levels, build });
    const { anatomy, scene } = build(placed.plan);
    truth = measureTruth({ anatomy, scene, fieldStrengthT, findings: [...placed.findings], lesionCodes });
    const geometry = gridOver(scene, ends);
    const labels = labelVolumes(anatomy, geometry);
    lesions = labels.lesions;
    reader = new Reader(labels.labels, labelTable(placed.plan));
    t2 = parameterVolumes(anatomy, { ...geometry, matrixSize: geometry.matrixSize.map((size) => Math.round(size / 2)) as unknown as ImageGeometry['matrixSize'] }).t2Ms;
  }, 180_000);

  it('is valid, and has every grade that was asked for', () => {
    expect(truthSchema.parse(JSON.parse(JSON.stringify(truth)))).toEqual(JSON.parse(JSON.stringify(truth)));
    for (const [kind, level, grade] of asked) {
      const disc = truth.discs.find((other) => other.level === level);
      const vertebra = truth.vertebrae.find((other) => other.level === level);
      const measured: Partial<Record<string, string | null | undefined>> = {
        stenosis: disc?.centralCanal?.grade, degeneration: disc?.degeneration?.pfirrmann, listhesis: disc?.listhesis?.meyerding, fracture: vertebra?.fracture?.grade,
      };
      if (kind! in measured) expect(measured[kind!], `${kind} ${level}`).toBe(grade);
    }
  });

  it('has the sac areas and canal grades that the reader finds', () => {
    let compared = 0;
    for (const { level, centralCanal } of inside(truth.discs)) {
      const area = reader.sacArea(level);
      if (area === undefined || centralCanal === null) continue;
      expect(Math.abs(area - centralCanal.sacAreaMm2), `${level}: ${area} of ${centralCanal.sacAreaMm2}`).toBeLessThan(0.08 * centralCanal.sacAreaMm2 + 6);
      if (centralCanal.grade === null || isClose(scales.centralCanal, centralCanal.sacAreaMm2, 8)) continue;
      expect(gradeOf(scales.centralCanal, area), level).toBe(centralCanal.grade);
      compared++;
    }
    if (region === 'lumbar') expect(compared).toBeGreaterThanOrEqual(3);
  });

  it('has the heights and fractures that the reader finds', () => {
    const names = inside(truth.vertebrae).map(({ level }) => level).filter((name) => /^[CTL]/.test(name));
    const all = truth.vertebrae.map(({ level }) => level);
    const read = names.map((name) => {
      const index = all.indexOf(name);
      const [anteriorMm, middleMm, posteriorMm] = reader.bodyHeights(name, all[index - 1]!, all[index + 1]!)!;
      return { anteriorMm, middleMm, posteriorMm, depthMm: 0 };
    });
    names.forEach((name, index) => {
      const { heights } = truth.vertebrae.find(({ level }) => level === name)!;
      for (const place of ['anteriorMm', 'middleMm', 'posteriorMm'] as const) {
        expect(Math.abs(read[index]![place] - heights[place]), `${name} ${place}: ${read[index]![place]} of ${heights[place]}`).toBeLessThan(2);
      }
    });
    gradeFractures(read).forEach(({ grade }, index) => {
      const { fracture } = truth.vertebrae.find(({ level }) => level === names[index])!;
      // At the ends of the volume neighbours are missing.
      if (fracture === null || index === 0 || index === names.length - 1 || isClose(scales.genant, fracture.heightLoss, 0.04)) return;
      expect(grade, names[index]).toBe(fracture.grade);
    });
  });

  it('has the slips that the reader finds', () => {
    for (const { level, listhesis } of inside(truth.discs)) {
      const [upper, lower] = level.split('-') as [string, string];
      if (listhesis === null || level.startsWith('C')) continue;
      const share = reader.slipShare(upper, lower);
      if (share === undefined) continue;
      expect(Math.abs(share - Math.sign(listhesis.slipMm) * listhesis.share), `${level}: ${share}`).toBeLessThan(0.08);
      if (listhesis.direction !== 'none' && !isClose(scales.meyerding, listhesis.share, 0.08)) {
        expect(gradeOf(scales.meyerding, Math.abs(share)), level).toBe(listhesis.meyerding);
      }
    }
  });

  it('has the signal of the nuclei that the reader finds', () => {
    let compared = 0;
    for (const { level, degeneration } of inside(truth.discs)) {
      const read = reader.nucleusMean(t2, level);
      // A collapsed disc is thinner than these voxels.
      if (read === undefined || degeneration === null || degeneration.pfirrmann === '5') continue;
      expect(Math.abs(read - degeneration.nucleusT2Ms), `${level}: ${read} of ${degeneration.nucleusT2Ms} ms`).toBeLessThan(9);
      compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(2);
  });

  it('has the Modic types that the reader finds at every endplate', () => {
    const discs = inside(truth.discs);
    const types = [lesionCodes.modic1, lesionCodes.modic2, lesionCodes.modic3];
    for (const [index, { level, modic }] of discs.entries()) {
      const [upper, lower] = level.split('-') as [string, string];
      for (const [vertebra, other, said] of [[upper, discs[index - 1], modic.upper], [lower, discs[index + 1], modic.lower]] as const) {
        if (other === undefined || said === null) continue;
        const volumes = reader.lesionsTowards(lesions, vertebra, level, other.level);
        if (volumes === undefined) continue;
        const of = types.map((code) => volumes.get(code) ?? 0);
        const total = of.reduce((sum, volume) => sum + volume, 0);
        // Traces reach over from the other endplate.
        const found = total < 250 ? 'none' : of.flatMap((volume, type) => (volume >= 0.1 * total ? [`${type + 1}`] : [])).join('/');
        expect(said.type, `${vertebra} at ${level}: ${of.map((volume) => volume.toFixed(0)).join(', ')} mm³`).toBe(found);
      }
    }
  });

  it('has the lesions that the reader counts, where they belong', () => {
    for (const [kind, code] of Object.entries(lesionCodes)) {
      const said = truth.lesions.filter((lesion) => lesion.code === code);
      const { voxels, within } = reader.count(lesions, code);
      const volume = said.reduce((sum, lesion) => sum + lesion.volumeMm3, 0);
      expect(Math.abs(voxels * voxelMm ** 3 - volume), kind).toBeLessThanOrEqual(0.06 * volume + 25);
      const home = ['msPlaque', 'contusion'].includes(kind) ? (label: number) => label === 2 : (label: number) => label > 100 && label < 132;
      const right = [...within].filter(([label]) => home(label)).reduce((sum, [, count]) => sum + count, 0);
      if (voxels > 0) expect(right / voxels, kind).toBeGreaterThan(0.97);
    }
    for (const [kind, level, length] of asked) {
      if (kind !== 'plaque' && kind !== 'contusion') continue;
      const lesion = truth.lesions.find((other) => other.code === (kind === 'plaque' ? lesionCodes.msPlaque : lesionCodes.contusion))!;
      expect(lesion.level).toBe(level);
      expect(Math.abs(lesion.longestAxisMm - Number(length!.slice(3)))).toBeLessThan(3.5);
      if (kind === 'plaque') expect(lesion.axialShareOfCord).toBeLessThan(0.5);
    }
  });

  /** What lies wholly in the volume. */
  function inside<T extends { readonly level: string }>(all: readonly T[]): T[] {
    const names = truth.vertebrae.map(({ level }) => level);
    const [first, last] = ends.map((name) => names.indexOf(name)) as [number, number];
    return all.filter(({ level }) => level.split('-').every((name) => names.indexOf(name) >= first && names.indexOf(name) <= last));
  }
});

function isClose({ cutoffs }: Scale, value: number, precision: number): boolean {
  return cutoffs.some((cutoff) => Math.abs(value - cutoff) <= precision);
}

/** Isotropic, along the axes of the patient, over the middle of the column. */
function gridOver(scene: SpineScene, [first, last]: readonly [string, string]): ImageGeometry {
  const names = [...scene.vertebrae.keys()];
  const frames = names.slice(names.indexOf(first), names.indexOf(last) + 1).map((name) => scene.frames.get(name)!.originMm);
  const [y, z] = [frames.map((origin) => origin[1]), frames.map((origin) => origin[2])];
  const [front, back, top, base] = [Math.min(...y) - 28, Math.max(...y) + 36, Math.max(...z) + 22, Math.min(...z) - 22];
  const even = (mm: number) => 2 * Math.ceil(mm / voxelMm / 2);
  const matrixSize = [66, even(back - front), even(top - base)] as const;
  return {
    centreMm: [frames.reduce((sum, origin) => sum + origin[0], 0) / frames.length, (front + back) / 2, (top + base) / 2],
    rowDirection: [1, 0, 0], columnDirection: [0, 1, 0], sliceDirection: [0, 0, 1],
    matrixSize, fovMm: [matrixSize[0] * voxelMm, matrixSize[1] * voxelMm, matrixSize[2] * voxelMm],
  };
}
