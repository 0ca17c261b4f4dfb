import { describe, expect, it } from 'vitest';
import { assessCentralCanal, assessDisplacement, assessFacetJoint, assessForamen, assessLateralRecess } from '../../../analysis/measure/index.js';
import { archCode, foramenCode, structureCodes, type LabelledStack, type Spine } from '../../../analysis/index.js';
import { medianOf } from '../../../imaging/index.js';
import { drawnSacTransverseMm, drawnSpine, measured, sacAreaMm2, type Drawn, type DrawnStack } from './drawnSegment.js';

const axial: DrawnStack = { orientation: 'axial', shiftMm: 1 };
const sagittal: DrawnStack = { orientation: 'sagittal', shiftMm: 1 };
const rough = (stacks: readonly DrawnStack[]) => stacks.map((stack, index) => ({ ...stack, roughSeed: 71 + index }));
const both = [axial, sagittal];

/** The front of the processes, 1.6 mm of them, drawn as what is before them. */
function withLateProcesses(stack: LabelledStack, before: number): LabelledStack {
  const { codes: { geometry, data } } = stack;
  const backwards = stack.orientation === 'axial' ? geometry.matrixSize[0] : 1;
  const isProcess = (code: number | undefined) => code === archCode('L4') || code === archCode('L5');
  const late = data.map((code, pixel) => (isProcess(code) && [1, 2, 3, 4].some((steps) => !isProcess(data[pixel - steps * backwards])) ? before : code));
  return { ...stack, codes: { geometry, data: late } };
}

describe('the central canal', () => {
  const canalOf = (drawn: Drawn, stacks: readonly DrawnStack[]) => assessCentralCanal(drawnSpine(drawn, stacks));

  it('has the area of the drawn sac, in slices of any tilt and between them, though it narrows over 5 mm', () => {
    for (const sacApMm of [14, 9, 6]) {
      for (const [tiltDeg, shiftMm] of [[0, 0], [0, 2.2], [15, 1], [-20, 2]] as const) {
        const { findings: [finding] } = canalOf({ sacApMm }, [{ ...axial, tiltDeg, shiftMm }, sagittal]);
        expect(Math.abs(measured(finding!, 'sacArea') / sacAreaMm2(sacApMm) - 1), `${sacApMm} mm at ${tiltDeg}°`).toBeLessThan(0.1);
        expect(Math.abs(measured(finding!, 'sacTransverse') - drawnSacTransverseMm)).toBeLessThan(0.6);
      }
    }
  });

  it('has the area that the image shows, where the outline has run into fat', () => {
    const spine = drawnSpine({ sacApMm: 9 }, [axial]);
    const { codes: { geometry, data } } = spine.stacks[0]!;
    const columns = geometry.matrixSize[0];
    const offsets = [0, 1, 2, 3].flatMap((right) => [0, 1, 2, 3].map((below) => right + columns * below));
    const wide = data.map((code, pixel) => (code === structureCodes.epiduralFat && offsets.some((offset) => data[pixel - offset] === structureCodes.sac) ? structureCodes.sac : code));
    const areaIn = (series: Spine['series']) => measured(assessCentralCanal({ ...spine, series, stacks: [{ ...spine.stacks[0]!, codes: { geometry, data: wide } }] }).findings[0]!, 'sacArea');
    expect(Math.abs(areaIn(spine.series) / sacAreaMm2(9) - 1)).toBeLessThan(0.12);
    // Where the image has no bright CSF, the outline is all there is.
    expect(areaIn(spine.series.map((one) => ({ ...one, contrast: 't1w' }))) / sacAreaMm2(9) - 1).toBeGreaterThan(0.2);
  });

  it('has no area where hardly any CSF is seen in a wide outline, as where a herniation was taken for it', () => {
    const spine = drawnSpine({ sacApMm: 12 }, both);
    const [{ geometry, data }, { codes }] = [spine.series[0]!.volume, spine.stacks[0]!];
    const nPixels = geometry.matrixSize[0] * geometry.matrixSize[1];
    // The three slices about the disc's plane.
    const isDark = (voxel: number) => codes.data[voxel] === structureCodes.sac && Math.abs(Math.floor(voxel / nPixels) - 4) <= 1;
    const filled = { ...spine.series[0]!, volume: { geometry, data: data.map((value, voxel) => (isDark(voxel) ? 100 : value)) } };
    const { findings, notAssessed } = assessCentralCanal({ ...spine, series: [filled, spine.series[1]!] });
    expect(notAssessed.map(({ code }) => code)).toEqual(['ANALYSIS_INFO_UNSURE']);
    expect(findings.flatMap(({ measures }) => measures).map(({ name }) => name)).not.toContain('sacArea');
  });

  it('grades it, and says how near it is to a cut-off', () => {
    const gradeAt = (sacApMm: number) => canalOf({ sacApMm }, both).findings[0]!.grades.find(({ scale }) => scale === 'centralCanal')!;
    expect([12, 8, 6, 4].map((mm) => gradeAt(mm).value)).toEqual(['normal', 'mild', 'moderate', 'severe']);
    expect(gradeAt(4).severity).toBe('severe');
    expect(gradeAt(12).marginShare).toBeGreaterThan(gradeAt(9.3).marginShare!);
  });

  it('bears ragged labels, islands and holes', () => {
    const errors = [71, 73, 75].map((roughSeed) => {
      const { findings: [finding] } = canalOf({ sacApMm: 9 }, [{ ...axial, roughSeed }, { ...sagittal, roughSeed: roughSeed + 1 }]);
      return Math.abs(measured(finding!, 'sacArea') / sacAreaMm2(9) - 1);
    });
    expect(medianOf(errors)).toBeLessThan(0.08);
  });

  it('has widths and no area from sagittal slices alone, and says what is missing', () => {
    const { findings: [finding], notAssessed } = canalOf({ sacApMm: 8 }, [sagittal]);
    expect(Math.abs(measured(finding!, 'sacAp') - 8)).toBeLessThan(0.6);
    expect(Math.abs(measured(finding!, 'canalAp') - 18.5)).toBeLessThan(0.8);
    expect(finding!.grades.map(({ scale }) => scale)).toEqual(['canalDiameter']);
    expect(notAssessed).toMatchObject([{ kind: 'centralCanal', level: 'L4-L5', code: 'ANALYSIS_INFO_NO_SERIES' }]);
  });

  it('is not measured on labels that are guessed, nor where no slice is', () => {
    expect(canalOf({}, [{ ...axial, confidence: 120 }]).notAssessed[0]!.code).toBe('ANALYSIS_INFO_UNSURE');
    expect(canalOf({}, [{ ...axial, shiftMm: 60 }]).notAssessed[0]!.code).toBe('ANALYSIS_INFO_NOT_COVERED');
  });

  it('draws what it measured where it is', () => {
    const { drawing } = canalOf({ sacApMm: 9 }, both).findings[0]!;
    const { fromMm, toMm } = drawing!.lines[0]!;
    expect(Math.abs(Math.hypot(...fromMm.map((value, axis) => value - toMm[axis]!)) - 9)).toBeLessThan(1.2);
    expect(Math.abs(drawing!.centreMm[1] - 27)).toBeLessThan(0.5);
    expect(drawing!.areas[0]!.pointsMm.length).toBeGreaterThan(20);
  });
});

describe('lateral recesses', () => {
  it('are as high as drawn', () => {
    for (const recessMm of [6, 4, 2.4, 1.2]) {
      const { findings } = assessLateralRecess(drawnSpine({ recessMm }, both));
      expect(findings.map(({ side }) => side)).toEqual(['left', 'right']);
      for (const finding of findings) expect(Math.abs(measured(finding, 'recessHeight') - recessMm)).toBeLessThan(0.5);
    }
  });

  it('bear ragged labels', () => {
    for (const finding of assessLateralRecess(drawnSpine({ recessMm: 4 }, rough(both))).findings) expect(Math.abs(measured(finding, 'recessHeight') - 4)).toBeLessThan(1.2);
  });

  it('end where the image ends them, not where the outline of the processes does', () => {
    for (const recessMm of [4, 2.4]) {
      const spine = drawnSpine({ recessMm }, both);
      const late = { ...spine, stacks: spine.stacks.map((stack) => withLateProcesses(stack, structureCodes.epiduralFat)) };
      for (const finding of assessLateralRecess(late).findings) expect(Math.abs(measured(finding, 'recessHeight') - recessMm)).toBeLessThan(0.5);
    }
  });

  it('are found where the chemical shift of their fat moved the processes away from the sac', () => {
    for (const recessMm of [4, 2.4, 1.2]) {
      const { findings } = assessLateralRecess(drawnSpine({ recessMm, processFromMm: 11.5 }, both));
      expect(findings).toHaveLength(2);
      for (const finding of findings) expect(Math.abs(measured(finding, 'recessHeight') - recessMm)).toBeLessThan(0.5);
    }
  });

  it('need axial slices', () => {
    expect(assessLateralRecess(drawnSpine({}, [sagittal])).notAssessed.map(({ code }) => code)).toEqual(['ANALYSIS_INFO_NO_SERIES', 'ANALYSIS_INFO_NO_SERIES']);
  });
});

describe('foramina', () => {
  it('are as wide and as high as drawn', () => {
    for (const foramenMm of [6, 3.6, 2.4, 1.2]) {
      const { findings } = assessForamen(drawnSpine({ foramenMm }, [sagittal]));
      expect(findings).toHaveLength(2);
      for (const finding of findings) {
        // Between two slices as wide as each other a foramen is taken for narrower than they show; these walls are parallel.
        expect(Math.abs(measured(finding, 'foramenWidth') - foramenMm)).toBeLessThan(1);
        expect(Math.abs(measured(finding, 'foramenHeight') - 22)).toBeLessThan(1);
        expect(Math.abs(measured(finding, 'foramenArea') / (22 * foramenMm) - 1)).toBeLessThan(0.33);
      }
    }
  });

  it('end where the image ends them, not where the outline of the processes does', () => {
    for (const foramenMm of [5, 2.4]) {
      const spine = drawnSpine({ foramenMm, foramenOpensMm: 0.2 }, [sagittal]);
      const late = { ...spine, stacks: spine.stacks.map((stack) => withLateProcesses(stack, foramenCode('L4-L5', 'left'))) };
      const [finding] = assessForamen(late).findings;
      expect(Math.abs(measured(finding!, 'foramenWidth') - foramenMm)).toBeLessThan(0.8);
    }
  });

  it('are measured in the middle of the pedicles, wherever the slices lie, though they open to both sides', () => {
    const foramenMm = 5;
    for (const shiftMm of [0, 1.1, 2.2, 3.3]) {
      for (const finding of assessForamen(drawnSpine({ foramenMm, foramenOpensMm: 0.2 }, [{ ...sagittal, shiftMm }])).findings) {
        expect(Math.abs(measured(finding, 'foramenArea') / (22 * foramenMm) - 1), `${shiftMm} mm`).toBeLessThan(0.15);
        expect(Math.abs(measured(finding, 'foramenWidth') - foramenMm), `${shiftMm} mm`).toBeLessThan(0.8);
      }
    }
  });

  it('bear ragged labels', () => {
    for (const finding of assessForamen(drawnSpine({ foramenMm: 5 }, rough([sagittal]))).findings) expect(Math.abs(measured(finding, 'foramenWidth') - 5)).toBeLessThan(1.5);
  });

  it('are not covered by slices about the midline', () => {
    expect(assessForamen(drawnSpine({}, [axial])).notAssessed[0]!.code).toBe('ANALYSIS_INFO_NO_SERIES');
    expect(assessForamen(drawnSpine({}, [{ ...sagittal, shiftMm: 90 }])).notAssessed[0]!.code).toBe('ANALYSIS_INFO_NOT_COVERED');
  });
});

describe('facet joints', () => {
  it('have the drawn space, and less confidence the narrower it is', () => {
    const jointsAt = (jointMm: number) => assessFacetJoint(drawnSpine({ jointMm }, both)).findings;
    for (const jointMm of [2.6, 1.6, 0.8]) {
      for (const finding of jointsAt(jointMm)) expect(Math.abs(measured(finding, 'jointSpace') - jointMm)).toBeLessThan(0.4);
    }
    expect(jointsAt(0.8)[0]!.confidence).toBeLessThan(jointsAt(2.6)[0]!.confidence + 1e-9);
  });
});

describe('displacement', () => {
  const displacementOf = (drawn: Drawn, stacks: readonly DrawnStack[] = both) => assessDisplacement(drawnSpine(drawn, stacks));
  const typeOf = (drawn: Drawn, stacks?: readonly DrawnStack[]) => displacementOf(drawn, stacks).findings[0]!.grades.find(({ scale }) => scale === 'displacement')!.value;

  it('tells a healthy disc, a bulge and a protrusion apart', () => {
    expect(typeOf({})).toBe('none');
    expect(typeOf({ bulgeMm: 4 })).toBe('bulge');
    expect(typeOf({ protrusionMm: 5 })).toBe('protrusion');
  });

  it('tells a healthy disc from a protrusion where axial slices show no body, by the sagittal ones', () => {
    const few = [{ ...axial, shiftMm: 0, nSlices: 3 }, { ...sagittal, shiftMm: 0 }];
    expect([{}, { protrusionMm: 5 }].map((drawn) => typeOf(drawn, few))).toEqual(['none', 'protrusion']);
  });

  it('measures depth and names the zone', () => {
    const { findings: [finding] } = displacementOf({ protrusionMm: 5 });
    expect(Math.abs(measured(finding!, 'depth') - 5)).toBeLessThan(0.8);
    expect(finding!.signs).toContain('central');
    expect(measured(finding!, 'canalShare')).toBeGreaterThan(0.03);
  });

  it('bears ragged labels', () => {
    expect(Math.abs(measured(displacementOf({ protrusionMm: 6 }, rough(both)).findings[0]!, 'depth') - 6)).toBeLessThan(1.6);
  });

  it('has a depth and no type from sagittal slices alone', () => {
    const { findings: [finding], notAssessed } = displacementOf({ protrusionMm: 5 }, [sagittal]);
    expect(Math.abs(measured(finding!, 'depth') - 5)).toBeLessThan(0.6);
    expect(finding!.grades).toEqual([]);
    expect(notAssessed).toHaveLength(1);
  });
});
