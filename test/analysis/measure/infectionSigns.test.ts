import { describe, expect, it } from 'vitest';
import type { Assessment, Finding, Spine } from '../../../analysis/index.js';
import { assessInfectionSigns, infectionSuggested } from '../../../analysis/measure/infectionSigns.js';
import type { Vector3, Volume } from '../../../imaging/index.js';
import { alongEndplate, boxSpine, segmentNames, type BoxSpineOptions, type Tissue } from './boxSpine.js';

const shading = ([x, y, z]: Vector3) => Math.exp(0.009 * y + 0.0015 * z - 0.00001 * z * z + 0.002 * x);
const at = ({ findings }: Assessment, level: string): Finding => findings.find((finding) => finding.level === level)!;
type Region = readonly [(point: Vector3) => boolean, Tissue];
const oedemaOf = (depthMm: number): Region[] => [[alongEndplate('L1', 'lower', depthMm), 'oedema'], [alongEndplate('L2', 'upper', depthMm), 'oedema']];
/** Between L1 and L2: the disc's middle, or all of what parts the two bodies' marrow. */
const brightDisc: Region = [([x, y, z]) => Math.abs(x) < 20 && Math.abs(y) < 14 && Math.abs(z - 38) < 4, 'infectedDisc'];
const between = ([x, y, z]: Vector3) => Math.abs(x) < 22 && Math.abs(y) < 17 && Math.abs(z - 38) < 6;
const assessed = (regions: readonly Region[], options: BoxSpineOptions = {}) => assessInfectionSigns(boxSpine({
  shading, noise: 0.05, tissueAt: (point) => regions.find(([holds]) => holds(point))?.[1], ...options,
}));

const either = [false, true];
const combinations = either.flatMap((disc) => either.flatMap((endplates) => either.map((oedema) => ({ disc, endplates, oedema }))));

describe('an infection', () => {
  it('is suggested by a bright disc beside changed bone alone', () => {
    for (const seen of combinations) {
      if (!seen.disc || (!seen.endplates && !seen.oedema)) expect(infectionSuggested(seen), JSON.stringify(seen)).toBe(false);
    }
    expect(combinations.filter(infectionSuggested)).toHaveLength(3);
  });

  it('never becomes less likely by one more sign', () => {
    for (const seen of combinations.filter(infectionSuggested)) {
      for (const sign of ['disc', 'endplates', 'oedema'] as const) expect(infectionSuggested({ ...seen, [sign]: true })).toBe(true);
    }
  });

  it('is told from Modic 1, of any depth, by the disc', () => {
    for (const depthMm of [6, 10, 14]) {
      const modic = assessed(oedemaOf(depthMm));
      for (const level of segmentNames) expect(at(modic, level).signs.length, level).toBeLessThan(2);
    }
    const infected = assessed([...oedemaOf(14), brightDisc]);
    expect(at(infected, 'L1-L2').signs).toEqual([expect.stringContaining('against Modic 1'), 'marrow oedema on both sides of the disc']);
    for (const level of segmentNames.filter((name) => name !== 'L1-L2')) expect(at(infected, level).signs, level).toEqual([]);
  });

  it('is not suggested by the bright discs of a young person', () => {
    const young = assessed([[([x, y, z]) => Math.abs(x) < 20 && Math.abs(y) < 14 && Math.abs(z - 38 * Math.round(z / 38)) < 4, 'infectedDisc']]);
    for (const level of segmentNames) {
      expect(at(young, level).measures.find(({ name }) => name === 'discToFluid')!.value).toBeGreaterThan(0.5);
      expect(at(young, level).signs, level).toEqual([]);
    }
  });

  it('needs no oedema that T2w shows where the lines of the endplates are lost', () => {
    const { signs } = at(assessed([[between, 'infectedDisc']], { isEaten: between }), 'L1-L2');
    expect(signs).toHaveLength(2);
    expect(signs[1]).toContain('line lost');
  });

  it('has no eroded endplates in a picture of one slice', () => {
    const whole = boxSpine({ shading, noise: 0.05, tissueAt: (point) => (between(point) ? 'infectedDisc' : undefined), isEaten: between });
    const oneSlice = <Values extends Float32Array | Uint16Array>({ geometry, data }: Volume<Values>): Volume<Values> => {
      const [columns, rows, slices] = geometry.matrixSize;
      const n = columns * rows;
      const middle = Math.floor(slices / 2);
      return { geometry: { ...geometry, fovMm: [geometry.fovMm[0], geometry.fovMm[1], geometry.fovMm[2] / slices], matrixSize: [columns, rows, 1] }, data: data.slice(middle * n, (middle + 1) * n) as Values };
    };
    const spine: Spine = {
      ...whole,
      series: whole.series.map((series) => ({ ...series, volume: oneSlice(series.volume) })),
      stacks: whole.stacks.map((stack) => {
        const codes = oneSlice(stack.codes);
        return { ...stack, codes, confidence: stack.confidence.slice(0, codes.data.length) };
      }),
    };
    const { signs } = at(assessInfectionSigns(spine), 'L1-L2');
    expect(signs.filter((sign) => sign.startsWith('eroded'))).toEqual([]);
  });

  it('has oedema of both sides with suppressed fat as well', () => {
    const { signs } = at(assessed([...oedemaOf(14), brightDisc], { contrasts: ['t1w', 't2w', 'stir'] }), 'L1-L2');
    expect(signs).toContain('marrow oedema on both sides of the disc');
  });

  it('is looked for without T1w as far as T2w goes, and tells what was not', () => {
    const { findings, notAssessed } = assessed([...oedemaOf(14), brightDisc], { contrasts: ['t2w'] });
    expect(findings.map(({ level }) => level)).toEqual(segmentNames);
    expect(notAssessed.map(({ level, code }) => [level, code])).toEqual(segmentNames.map((name) => [name, 'ANALYSIS_INFO_NO_SERIES']));
    expect(notAssessed[0]!.got).toContain('collections');
    const none = assessed([], { contrasts: ['t1w'] });
    expect(none.findings).toEqual([]);
    expect(none.notAssessed).toHaveLength(segmentNames.length);
  });
});
