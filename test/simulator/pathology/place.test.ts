import { describe, expect, it } from 'vitest';
import { cordVisible, meanSignals, type Signals } from './signals.js';
import { lesionBuilders, lesionCodes, parsePathologies, placePathologies, type LesionKind } from '../../../simulator/pathology/index.js';
import { Random } from '../../../simulator/index.js';
import { drawFindings, prevalence } from '../../../simulator/pathology/prevalence.js';
import { clash } from '../../../simulator/pathology/together.js';
import { buildSpine, builtVertebrae, drawSpine, type SpinePlan, type SpineRegion } from '../../../simulator/spine/index.js';

function place(text: string, seed = 4, region: SpineRegion = 'lumbar', ageYears = 45) {
  const plan = drawSpine(seed, { region, ageYears, nLumbar: 5 });
  const levels = builtVertebrae(plan);
  const build = (changed: SpinePlan) => buildSpine(changed, { fieldStrengthT: 1.5, lesionBuilders, surroundings: false });
  const placed = placePathologies(plan, parsePathologies(text, levels), { fieldStrengthT: 1.5, levels, build });
  return { healthy: plan, placed, build };
}

/** What radiology expects of a lesion against what it lies in: 1 brighter, -1 darker. */
const signs: readonly (readonly [text: string, kind: LesionKind, level: string, Partial<Signals>])[] = [
  ['modic1:L4-L5:large', 'modic1', 'L4', { t1w: -1, t2w: 1, stir: 1 }],
  ['modic2:L4-L5:large:endplate=both', 'modic2', 'L4', { t1w: 1, stir: -1 }],
  ['modic3:L4-L5:large:endplate=both', 'modic3', 'L4', { t1w: -1, t2w: -1 }],
  ['haemangioma:L3:large', 'haemangioma', 'L3', { t1w: 1, t2w: 1 }],
  ['metastasis:L3:moderate:matrix=lytic:breach=no:epidural=no', 'metastasis', 'L3', { t1w: -1, stir: 1 }],
  ['metastasis:L3:moderate:matrix=sclerotic:breach=no:epidural=no', 'metastasis', 'L3', { t1w: -1, t2w: -1, stir: -1 }],
  ['fracture:L2:2:shape=wedge:oedema=yes:cause=osteoporotic', 'marrowOedema', 'L2', { t1w: -1, t2w: 1, stir: 1 }],
];

describe('a placed lesion', () => {
  it.each(signs)('%s differs from its marrow as it should', (text, kind, level, expected) => {
    const { placed, build } = place(text.includes('modic1') ? `${text}:endplate=both` : text);
    const { lesion, around } = meanSignals(build(placed.plan), level, lesionCodes[kind], level === 'L4' ? 'L2' : 'L4');
    for (const [weighting, sign] of Object.entries(expected) as [keyof Signals, number][]) {
      const contrast = (lesion[weighting] - around[weighting]) / around[weighting];
      expect(Math.sign(contrast), `${weighting} ${contrast}`).toBe(sign);
      expect(Math.abs(contrast), weighting).toBeGreaterThan(0.03);
    }
  });

  it.each([['plaque:C4:mm=16', 'msPlaque'], ['contusion:C5:mm=30', 'contusion']] as const)('%s is bright in the cord', (text, kind) => {
    const { placed, build } = place(text, 4, 'cervical');
    expect(cordVisible(build(placed.plan), lesionCodes[kind], placed.findings[0]!.level)).toBeGreaterThan(1.1);
  });

  it('is the same from the same seed, and another from another', () => {
    const text = 'foramen:L4-L5:mild,haemangioma:L2';
    const [a, b, c] = [place(text), place(text), place(text, 5)];
    expect(JSON.stringify(a.placed.plan)).toBe(JSON.stringify(b.placed.plan));
    expect(JSON.stringify(a.placed.findings)).toBe(JSON.stringify(b.placed.findings));
    expect(JSON.stringify(a.placed.findings)).not.toBe(JSON.stringify(c.placed.findings));
  });

  it('leaves other levels alone', () => {
    const { healthy, placed } = place('stenosis:L4-L5:severe,degeneration:L4-L5:4');
    for (const segment of healthy.segments) {
      const after = placed.plan.segments.find(({ name }) => name === segment.name);
      if (segment.name === 'L4-L5') expect(after).not.toEqual(segment);
      else expect(after).toEqual(segment);
    }
    expect(placed.plan.vertebrae).toEqual(healthy.vertebrae);
  });

  it('meets every grade with the others there', () => {
    const { placed } = place('listhesis:L4-L5:1,facet:L4-L5:2:side=left,stenosis:L4-L5:moderate,recess:L4-L5:severe:side=right');
    expect(placed.findings.map(({ kind, grade }) => [kind, grade])).toContainEqual(['stenosis', 'moderate']);
    for (const { measured, target } of placed.findings) {
      if (target !== undefined) expect(measured).toBeDefined();
    }
  });

  it.each(['bulge:L4-L5,protrusion:L4-L5', 'modic1:L4-L5,modic2:L4-L5', 'facet:L4-L5:1:side=left,facet:L4-L5:2:side=both'])('refuses %s: one place cannot have both', (text) => {
    expect(() => place(text)).toThrow(expect.objectContaining({ code: 'SIM_ERR_PATHOLOGY' }));
  });

  it('refuses what the region does not have', () => {
    expect(() => place('plaque:C4')).toThrow(expect.objectContaining({ code: 'SIM_ERR_PATHOLOGY' }));
  });
});

describe('findings drawn at random', () => {
  it('give way to what is asked for by name, and to one another', () => {
    const { placed } = place('random:age=70,stenosis:L4-L5:severe', 2);
    expect(placed.findings.filter(({ kind, level }) => kind === 'stenosis' && level === 'L4-L5').map(({ grade }) => grade)).toEqual(['severe']);
    expect(placed.findings.length).toBeGreaterThan(1);
  });

  const plan = drawSpine(1, { region: 'lumbar' });
  const levels = builtVertebrae(plan);

  it('are as common as in people of the age', () => {
    const share = (age: number) => {
      let affected = 0;
      for (let seed = 0; seed < 400; seed++) {
        const drawn = drawFindings(plan, { kind: 'random', age, grades: 'prevalence' }, levels, new Random(seed));
        if (drawn.some(({ kind }) => kind === 'facet')) affected++;
      }
      return affected / 400;
    };
    expect(share(30)).toBeCloseTo(prevalence('facet', 30), 1);
    expect(share(70)).toBeCloseTo(prevalence('facet', 70), 1);
    expect(prevalence('bulge', 20)).toBeCloseTo(0.3, 12);
    expect(prevalence('bulge', 55)).toBeCloseTo(0.645, 12);
    expect(prevalence('bulge', 95)).toBeCloseTo(0.84, 12);
  });

  it.each(['prevalence', 'uniform'] as const)('never clash (%s)', (grades) => {
    for (let seed = 0; seed < 60; seed++) {
      const drawn = drawFindings(plan, { kind: 'random', age: 75, grades }, levels, new Random(seed)).map(({ kind, level = '', options }) => ({ kind, level, options }));
      drawn.forEach((finding, index) => {
        for (const other of drawn.slice(0, index)) expect(clash(finding, other)).toBe(false);
      });
    }
  });
});
