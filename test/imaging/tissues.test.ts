import { describe, expect, it } from 'vitest';
import {
  fastSpinEcho, fatAt, inversionRecoveryFastSpinEcho, nullingInversionTimeMs, tissueAt, tissueNames, tissueVariation, voxelSignal, waterAndFat,
  type FieldStrengthT, type TissueName,
} from '../../imaging/index.js';

const fields: readonly FieldStrengthT[] = [1.5, 3];

describe.each(fields)('every tissue at %s T', (field) => {
  it.each(tissueNames)('%s is physical', (name) => {
    const tissue = tissueAt(name, field);
    expect(tissue.protonDensity).toBeGreaterThanOrEqual(0);
    expect(tissue.protonDensity).toBeLessThanOrEqual(1);
    expect(tissue.fatFraction).toBeGreaterThanOrEqual(0);
    expect(tissue.fatFraction).toBeLessThan(1);
    // T2* <= T2 <= T1, as relaxation theory has it for tissue.
    expect(tissue.t2StarMs).toBeGreaterThan(0);
    expect(tissue.t2StarMs).toBeLessThanOrEqual(tissue.t2Ms);
    expect(tissue.t2Ms).toBeLessThanOrEqual(tissue.t1Ms);
    expect(tissue.hounsfield).toBeGreaterThanOrEqual(-1000);
  });
});

describe('the two fields', () => {
  it.each(tissueNames)('%s: T1 grows with the field, T2 and T2* do not (within measured scatter)', (name) => {
    const [low, high] = [tissueAt(name, 1.5), tissueAt(name, 3)];
    expect(high.t1Ms).toBeGreaterThanOrEqual(low.t1Ms);
    expect(high.t2Ms).toBeLessThanOrEqual(low.t2Ms * 1.02);
    expect(high.t2StarMs).toBeLessThanOrEqual(low.t2StarMs);
    for (const key of ['protonDensity', 'fatFraction', 'hounsfield', 'susceptibilityPpm'] as const) expect(high[key]).toBe(low[key]);
  });

  it('fat has one signal, most of it 3.4 ppm below water', () => {
    for (const field of fields) {
      const { peaks } = fatAt(field);
      expect(peaks.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      expect(peaks.find(({ weight }) => weight > 0.5)?.shiftPpm).toBe(-3.4);
    }
    expect(fatAt(3).t1Ms).toBeGreaterThan(fatAt(1.5).t1Ms);
  });
});

it('marrow, measured as one exponential, has the T1 of de Bazelaire 2004 within a tenth', () => {
  for (const [field, measuredMs] of [[1.5, 549], [3, 586]] as const) {
    const [marrow, fat] = [tissueAt('cancellousBone', field), fatAt(field)];
    const inversionTimesMs = [50, 150, 300, 500, 800, 1200, 2000, 3000];
    const recovery = (t1Ms: number) => inversionTimesMs.map((tiMs) => 1 - 2 * Math.exp(-tiMs / t1Ms));
    const [water, lipid] = [recovery(marrow.t1Ms), recovery(fat.t1Ms)];
    const mixture = water.map((value, i) => (1 - marrow.fatFraction) * value + marrow.fatFraction * lipid[i]!);
    const error = (t1Ms: number) => {
      const model = recovery(t1Ms);
      const scale = model.reduce((sum, value, i) => sum + value * mixture[i]!, 0) / model.reduce((sum, value) => sum + value * value, 0);
      return model.reduce((sum, value, i) => sum + (scale * value - mixture[i]!) ** 2, 0);
    };
    const candidatesMs = Array.from({ length: 1000 }, (_, i) => 200 + i);
    const apparentMs = candidatesMs.reduce((best, t1Ms) => (error(t1Ms) < error(best) ? t1Ms : best));
    expect(Math.abs(apparentMs / measuredMs - 1)).toBeLessThan(0.1);
  }
});

describe('Hounsfield units', () => {
  const hounsfield = (name: TissueName) => tissueAt(name, 3).hounsfield;
  it('stand in the order of CT textbooks', () => {
    const ascending = [
      'air', 'subcutaneousFat', 'fattyMuscle', 'csf', 'cord', 'muscle', 'nucleus', 'annulus', 'cancellousBone', 'endplate', 'cortex',
    ] as const;
    ascending.slice(1).forEach((name, i) => expect(hounsfield(name), name).toBeGreaterThan(hounsfield(ascending[i]!)));
    expect(hounsfield('metastasis')).toBeLessThan(hounsfield('cancellousBone') - 50);
    expect(hounsfield('scleroticMetastasis')).toBeGreaterThan(hounsfield('cancellousBone') + 200);
  });
});

it('persons differ, air does not', () => {
  expect(Object.values(tissueVariation.air)).toEqual([0, 0, 0, 0, 0]);
  for (const name of tissueNames) {
    const { protonDensity, t1, t2, fatFraction, hounsfield } = tissueVariation[name];
    for (const relative of [protonDensity, t1, t2]) expect(relative, name).toBeLessThan(0.5);
    if (tissueAt(name, 3).protonDensity > 0) expect(Math.min(protonDensity, t1, t2, hounsfield), name).toBeGreaterThan(0);
    // One standard deviation leaves the fat fraction a fraction.
    const mean = tissueAt(name, 3).fatFraction;
    expect(mean + fatFraction, name).toBeLessThanOrEqual(1);
    expect(mean - fatFraction, name).toBeGreaterThanOrEqual(-0.05);
  }
});

/** Sagittal lumbar protocols as they are run. */
const t1w = { trMs: 550, teMs: 10, echoSpacingMs: 10, echoTrainLength: 3 };
const t2w = { trMs: 3500, teMs: 100, echoSpacingMs: 10, echoTrainLength: 18 };
const stir = { trMs: 4500, teMs: 50, echoSpacingMs: 10, echoTrainLength: 14 };

/** Magnitudes of the three contrasts. */
function contrasts(field: FieldStrengthT) {
  const fat = fatAt(field);
  const tiMs = nullingInversionTimeMs(fat.t1Ms, stir);
  const signalOf = (sequence: typeof t1w) => (name: TissueName) =>
    voxelSignal(waterAndFat(tissueAt(name, field), fat, (relaxation) => fastSpinEcho(relaxation, sequence)));
  return {
    t1: signalOf(t1w),
    t2: signalOf(t2w),
    stir: (name: TissueName) =>
      Math.abs(voxelSignal(waterAndFat(tissueAt(name, field), fat, (relaxation) => inversionRecoveryFastSpinEcho(relaxation, stir, { tiMs })))),
    pureFatInStir: Math.abs(inversionRecoveryFastSpinEcho(fat, stir, { tiMs })),
  };
}

describe.each(fields)('contrast at %s T', (field) => {
  const { t1, t2, stir: inStir, pureFatInStir } = contrasts(field);
  const descending = (signal: (name: TissueName) => number, names: readonly TissueName[], factor = 1.1) =>
    names.slice(1).forEach((name, i) => expect(signal(names[i]!), `${names[i]!} over ${name}`).toBeGreaterThan(factor * signal(name)));

  it('T1w: fat bright, marrow between fat and disc, muscle below marrow, CSF dark, cortex black', () => {
    descending(t1, ['subcutaneousFat', 'cancellousBone', 'nucleus', 'csf']);
    descending(t1, ['cancellousBone', 'muscle', 'csf', 'cortex']);
    descending(t1, ['cancellousBone', 'annulus', 'csf'], 1.4);
    descending(t1, ['cancellousBone', 'cord', 'csf'], 1.3);
    descending(t1, ['yellowMarrow', 'cancellousBone', 'redMarrow']);
  });

  it('T2w: CSF brightest, young nucleus bright, worn nucleus and annulus dark, fat fairly bright, muscle dark', () => {
    const otherFluids: readonly TissueName[] = ['urine', 'jointFluid', 'blood'];
    for (const name of tissueNames) if (name !== 'csf' && !otherFluids.includes(name)) expect(t2(name), name).toBeLessThan(0.95 * t2('csf'));
    descending(t2, ['csf', 'nucleus', 'cancellousBone', 'degeneratedNucleus', 'annulus'], 1.2);
    descending(t2, ['subcutaneousFat', 'cancellousBone', 'muscle', 'ligament'], 1.3);
    descending(t2, ['csf', 'cord', 'muscle', 'endplate'], 2);
    expect(t2('subcutaneousFat') / t2('csf')).toBeGreaterThan(0.4);
    expect(t2('nucleus') / t2('degeneratedNucleus')).toBeGreaterThan(3);
  });

  it('STIR: no fat, CSF and marrow oedema bright', () => {
    expect(pureFatInStir).toBeLessThan(0.05 * inStir('muscle'));
    expect(inStir('subcutaneousFat')).toBeLessThan(0.3 * inStir('muscle'));
    descending(inStir, ['csf', 'marrowOedema', 'cancellousBone', 'yellowMarrow'], 1.5);
    for (const lesion of ['modic1', 'acuteFracture', 'schmorlOedema', 'metastasis', 'discInfection'] as const) {
      expect(inStir(lesion), lesion).toBeGreaterThan(1.5 * inStir('cancellousBone'));
    }
    expect(inStir('modic2')).toBeLessThan(inStir('cancellousBone'));
  });

  it('endplate changes, haemangioma, metastases and oedema show as radiology describes them beside marrow', () => {
    const beside = (name: TissueName) => [t1(name) / t1('cancellousBone'), t2(name) / t2('cancellousBone')] as const;
    const dark = (ratio: number, name: string) => expect(ratio, name).toBeLessThan(0.85);
    const bright = (ratio: number, name: string) => expect(ratio, name).toBeGreaterThan(1.15);
    const expected = [
      ['modic1', dark, bright], ['modic2', bright, bright], ['modic3', dark, dark], ['haemangioma', bright, bright],
      ['metastasis', dark, bright], ['scleroticMetastasis', dark, dark], ['acuteFracture', dark, bright], ['marrowOedema', dark, bright],
      ['schmorlOedema', dark, bright],
    ] as const;
    for (const [name, inT1, inT2] of expected) {
      const [t1Ratio, t2Ratio] = beside(name);
      inT1(t1Ratio, name);
      inT2(t2Ratio, name);
    }
  });

  it('lesions of disc, canal and cord show beside where they lie', () => {
    expect(t2('discInfection')).toBeGreaterThan(2 * t2('degeneratedNucleus'));
    expect(t1('discInfection')).toBeLessThan(t1('degeneratedNucleus'));
    expect(t2('abscess')).toBeGreaterThan(2 * t2('muscle'));
    for (const lesion of ['msPlaque', 'contusion'] as const) {
      expect(t2(lesion) / t2('cord'), lesion).toBeGreaterThan(1.3);
      expect(t2(lesion) / t2('csf'), lesion).toBeLessThan(0.8);
    }
    // Between worn and young disc, and far from CSF.
    descending(t2, ['csf', 'nucleus', 'hernia', 'degeneratedNucleus'], 1.2);
    descending(t1, ['fattyMuscle', 'muscle']);
    descending(t2, ['fattyMuscle', 'muscle']);
  });
});
