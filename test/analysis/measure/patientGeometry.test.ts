/** One simulated patient with what the geometric measures look for, by its true labels and by ragged ones. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Assess, Assessment, Finding, Spine } from '../../../analysis/index.js';
import {
  assessCobb, assessCordSection, assessCortex, assessDiscHeight, assessListhesis, assessLordosis, assessMarrowHu, assessPfirrmann, assessSacralSlope,
  assessVertebralHeights, pfirrmannOf,
} from '../../../analysis/measure/index.js';
import { Random } from '../../../simulator/index.js';
import { perturbed } from '../perturbed.js';
import { spineOf, truthSpine, type TruthSpine } from '../truthSpine.js';

const valueOf = ({ measures }: Finding, name: string) => measures.find((measure) => measure.name === name)!.value;
const gradeOf = ({ grades }: Finding, scale: string) => grades.find((grade) => grade.scale === scale)!.value;
const at = ({ findings }: Assessment, level: string) => findings.find((finding) => finding.level === level)!;
const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

let found: TruthSpine;
let ragged: Spine;

beforeAll(() => {
  found = truthSpine(
    { seed: 700_411, nLumbar: 5, pathology: 'fracture:L2:3:shape=wedge:cause=osteoporotic,listhesis:L4-L5:1:direction=anterior,degeneration:L3-L4:5,degeneration:L1-L2:1' },
    [{ contrast: 't2w', orientation: 'sagittal', shiftMm: [1.3, 0, 0] }],
  );
  ragged = perturbed(found.spine, 5);
}, 600_000);

describe.each(['true labels', 'ragged labels'])('by %s', (labels) => {
  const assess = (measure: Assess) => measure(labels === 'true labels' ? found.spine : ragged);

  it('heights are within half a millimetre, and the fracture is graded', () => {
    const assessment = assess(assessVertebralHeights);
    const errors = assessment.findings.flatMap((finding) => {
      const { heights } = found.truth.vertebrae.find(({ level }) => level === finding.level)!;
      return (['anterior', 'middle', 'posterior'] as const).map((place) => Math.abs(valueOf(finding, `${place}Height`) - heights[`${place}Mm`]));
    });
    expect(errors.length).toBeGreaterThanOrEqual(15);
    expect(median(errors)).toBeLessThan(0.5);
    expect(gradeOf(at(assessment, 'L2'), 'genant')).toBe('3');
    expect(gradeOf(at(assessment, 'L2'), 'genantType')).toBe('wedge');
    for (const level of ['L3', 'L4', 'L5']) expect(gradeOf(at(assessment, level), 'genant'), level).toBe('0');
  });

  it('discs are within half a millimetre, and their degeneration is graded', () => {
    const errors = assess(assessDiscHeight).findings.flatMap((finding) => {
      const heights = found.truth.discs.find(({ level }) => level === finding.level)!.heights!;
      return (['anterior', 'middle', 'posterior'] as const).map((place) => Math.abs(valueOf(finding, `${place}Height`) - heights[`${place}Mm`]));
    });
    expect(median(errors)).toBeLessThan(0.5);
    const grades = assess(assessPfirrmann);
    for (const finding of grades.findings) {
      const truth = Number(found.truth.discs.find(({ level }) => level === finding.level)!.degeneration!.pfirrmann);
      expect(Math.abs(Number(gradeOf(finding, 'pfirrmann')) - truth), finding.level).toBeLessThanOrEqual(1);
    }
    expect(gradeOf(at(grades, 'L3-L4'), 'pfirrmann')).toBe('5');
    expect(gradeOf(at(grades, 'L1-L2'), 'pfirrmann')).toMatch(/[12]/);
  });

  it('the slip and the angles are those of the patient', () => {
    const slip = at(assess(assessListhesis), 'L4-L5');
    const truth = found.truth.discs.find(({ level }) => level === 'L4-L5')!.listhesis!;
    expect(Math.abs(valueOf(slip, 'slip') - truth.slipMm)).toBeLessThan(1);
    expect(gradeOf(slip, 'meyerding')).toBe('1');
    expect(slip.signs).toEqual(['anterolisthesis']);
    expect(slip.drawing!.lines).not.toEqual([]);
    const { lumbarLordosisDeg, sacralSlopeDeg } = found.truth.alignment;
    expect(Math.abs(valueOf(assess(assessLordosis).findings[0]!, 'lumbarLordosis') - lumbarLordosisDeg!)).toBeLessThan(3);
    expect(Math.abs(valueOf(assess(assessSacralSlope).findings[0]!, 'sacralSlope') - sacralSlopeDeg!)).toBeLessThan(3);
    expect(valueOf(assess(assessCobb).findings[0]!, 'cobbAngle')).toBeLessThan(10);
  });

  it('the cord is as thick as it is, down to its end', () => {
    const { findings, notAssessed } = assess(assessCordSection);
    expect(findings.length).toBeGreaterThan(0);
    expect(notAssessed).toEqual([]);
    const { level } = findings[0]!;
    const cord = found.truth.vertebrae.find((vertebra) => vertebra.level === level)!.cord!;
    expect(Math.abs(valueOf(findings[0]!, 'cordApDiameter') - cord.apMm)).toBeLessThan(1.2);
    expect(valueOf(findings[0]!, 'cordArea') / cord.areaMm2).toBeGreaterThan(0.7);
    expect(valueOf(findings[0]!, 'cordArea') / cord.areaMm2).toBeLessThan(1.3);
    const { spine } = found;
    const onCt = assessCordSection({ ...spine, series: spine.series.map((series) => ({ ...series, contrast: 'ct' as const })) });
    expect(onCt.findings).toEqual([]);
    expect(onCt.notAssessed[0]).toMatchObject({ kind: 'cordSection', code: 'ANALYSIS_INFO_NO_SERIES' });
  });
});

describe('what an image cannot tell', () => {
  it('is not assessed, with the reason', () => {
    const asT1w: Spine = { ...found.spine, series: found.spine.series.map((series) => ({ ...series, contrast: 't1w' })) };
    expect(assessPfirrmann(asT1w)).toMatchObject({ findings: [], notAssessed: [{ code: 'ANALYSIS_INFO_NO_SERIES' }] });
    expect(assessMarrowHu(asT1w)).toMatchObject({ findings: [], notAssessed: [{ code: 'ANALYSIS_INFO_NO_SERIES' }] });
    const asComputed: Spine = { ...found.spine, series: found.spine.series.map((series) => ({ ...series, contrast: 'syntheticCt', synthetic: true })) };
    expect(assessCortex(asComputed)).toMatchObject({ findings: [], notAssessed: [{ code: 'ANALYSIS_INFO_SYNTHETIC' }] });
    const [withoutInterval] = assessMarrowHu(asComputed).findings;
    expect(withoutInterval!.basis.synthetic).toBe(true);
    expect(withoutInterval!.signs[0]).toMatch(/estimated from MR.*nobody knows/);
  });

  it('is not measured across the slices of a computed CT that lie far apart, within them it is', () => {
    const asComputed: Spine = { ...found.spine, series: found.spine.series.map((series) => ({ ...series, contrast: 'syntheticCt', synthetic: true })) };
    const across = { findings: [], notAssessed: [{ code: 'ANALYSIS_INFO_GEOMETRY', got: expect.stringMatching(/sagittal slices .* times as far apart as pixels/) as string }] };
    expect(assessCobb(asComputed)).toMatchObject(across);
    expect(assessCordSection(asComputed)).toMatchObject(across);
    expect(assessVertebralHeights(asComputed).findings.every(({ basis }) => basis.synthetic)).toBe(true);
    expect(assessVertebralHeights(asComputed).findings.length).toBeGreaterThan(3);
  });

  it('of a computed CT goes with the uncertainty of its interval', () => {
    const asComputed: Spine = {
      ...found.spine,
      series: found.spine.series.map((series) => {
        const end = (off: number) => ({ ...series.volume, data: series.volume.data.map((value) => value + off) });
        return { ...series, contrast: 'syntheticCt', synthetic: true, interval: { low: end(-90), high: end(50) } };
      }),
    };
    for (const finding of assessMarrowHu(asComputed).findings) {
      expect(valueOf(finding, 'marrowUncertainty')).toBeCloseTo(70, 0);
      expect(finding.signs[0]).toMatch(/estimated from MR, give or take 70 HU/);
    }
  });

  it('finds a nucleus as bright and as even in a noisy image', () => {
    const random = new Random(5);
    const noisy: Spine = {
      ...found.spine,
      series: found.spine.series.map((series) => {
        const bright = median([...series.volume.data].filter((value, pixel) => pixel % 97 === 0 && value > 0));
        return { ...series, volume: { ...series.volume, data: series.volume.data.map((value) => Math.hypot(value + 0.05 * bright * random.normal(), 0.05 * bright * random.normal())) } };
      }),
    };
    const plain = assessPfirrmann(found.spine);
    for (const finding of assessPfirrmann(noisy).findings) {
      const before = at(plain, finding.level!);
      expect(Math.abs(valueOf(finding, 'nucleusT2') / valueOf(before, 'nucleusT2') - 1), finding.level).toBeLessThan(0.04);
      expect(Math.abs(valueOf(finding, 'nucleusVariation') - valueOf(before, 'nucleusVariation')), finding.level).toBeLessThan(0.03);
    }
  });

  it('takes the endplates off the height of a dark disc, with which it is outlined', () => {
    expect([40, 110].map((t2Ms) => pfirrmannOf('L4-L5', { t2Ms, variation: 0.05 }, 0.17))).toEqual(['5', '1']);
    expect([40, 110].map((t2Ms) => pfirrmannOf('L4-L5', { t2Ms, variation: 0.05 }, 0.25))).toEqual(['4', '1']);
  });

  it('does not change with a coil that shades the image', () => {
    const shade = (spine: Spine): Spine => ({
      ...spine,
      series: spine.series.map((series) => {
        const [columns] = series.volume.geometry.matrixSize;
        return { ...series, volume: { ...series.volume, data: series.volume.data.map((value, pixel) => value * Math.exp(0.008 * ((pixel % columns) - columns / 2))) } };
      }),
    });
    const [plain, shaded] = [assessPfirrmann(found.spine), assessPfirrmann(shade(found.spine))];
    for (const { level, ...finding } of shaded.findings) {
      expect(Math.abs(valueOf({ ...finding } as Finding, 'signalRatio') / valueOf(at(plain, level!), 'signalRatio') - 1), level).toBeLessThan(0.12);
    }
  });
});

describe('on CT', () => {
  it('marrow has the HU of its tissue, and whole cortex no break', () => {
    const spine = spineOf(found.patient, [{ contrast: 'ct', orientation: 'sagittal', nSlices: 9, sliceStepMm: 2, fovMm: 200 }]);
    const marrow = assessMarrowHu(spine);
    const { hounsfield } = found.patient.anatomy.tissues.get('cancellousBone')!;
    expect(Math.abs(median(marrow.findings.map((finding) => valueOf(finding, 'marrowMean'))) - hounsfield)).toBeLessThan(60);
    for (const finding of assessCortex(spine).findings) if (finding.level !== 'L2') expect(valueOf(finding, 'longestBreak'), finding.level).toBe(0);
  });
});
