/**
 * A sagittal lumbar spine as T2-weighted TSE shows it, of ellipses and polygons: T12 to S1 with
 * discs, dural sac with cord, conus and cauda equina, spinous processes, fat, aorta, bowel, bladder.
 * Plausible, not measured: sizes in the range of an adult's, intensities relative to cerebrospinal
 * fluid. u runs to posterior, v to the feet; [0, 0] lies in front of L3. The L4/5 disc is
 * degenerated, so that discs are not all alike.
 */
import {
  band,
  ellipse,
  flatten,
  roundedBox,
  type Point,
  type Region,
  type WeightedShape,
} from './shapes.js';

/** Extent in which the body lies, mm: a field of view from here on is free of wrap. */
export const spineExtentMm: Point = [214, 282];

const signal = {
  air: 0,
  cortex: 0.05,
  annulus: 0.12,
  vessel: 0.04,
  muscle: 0.2,
  bowel: 0.4,
  marrow: 0.42,
  cord: 0.45,
  roots: 0.6,
  nucleus: 0.72,
  fat: 0.62,
  fluid: 1,
} as const;

/** Middle of the vertebral column at height v, with its lordosis. */
const columnU = (v: number) => 10 + 14 * ((v - 15) / 115) ** 2;
/** Tilt of the column there: the angle from the u axis to the end plates. */
const columnTilt = (v: number) => -Math.atan((28 * (v - 15)) / 115 ** 2);
const sacU = (v: number) => columnU(v) + 28;

const vertebrae = [
  { name: 'T12', v: -107, halfHeightMm: 11.5 },
  { name: 'L1', v: -73, halfHeightMm: 12.5 },
  { name: 'L2', v: -37, halfHeightMm: 13 },
  { name: 'L3', v: 0, halfHeightMm: 13.5 },
  { name: 'L4', v: 37, halfHeightMm: 13.5 },
  { name: 'L5', v: 73, halfHeightMm: 13 },
  { name: 'S1', v: 107, halfHeightMm: 12 },
] as const;

/**
 * The phantom in the sagittal plane that lies `offMidlineMm` beside the midline; sac and cord grow
 * thinner away from it, as round tubes do. Up to 6 mm.
 * @param signalOf what becomes of an intensity, for instance at another echo time
 */
export function spinePhantom(offMidlineMm = 0, signalOf?: (intensity: number) => number): WeightedShape[] {
  const tube = (radiusMm: number) => Math.sqrt(1 - (Math.min(Math.abs(offMidlineMm), 6) / radiusMm) ** 2);
  const body: Region = {
    shape: roundedBox([0, 0], [105, 139], { exponent: 5, nCorners: 48 }),
    intensity: signal.fat,
    children: [
      {
        shape: roundedBox([4, 0], [88, 135], { exponent: 6, nCorners: 48 }),
        intensity: signal.muscle,
        children: [
          ...abdomen(),
          ...vertebrae.map(vertebra),
          ...vertebrae.slice(1).map((lower, index) => disc(vertebrae[index]!.v, lower.v, lower.name === 'L5')),
          dura(tube(9), tube(7)),
          ...vertebrae.slice(0, 6).flatMap(({ v }) => [spinousProcess(v), epiduralFat(v)]),
          ...interspinousFat(),
        ],
      },
    ],
  };
  return flatten([body], signalOf);
}

function vertebra({ v, halfHeightMm }: { v: number; halfHeightMm: number }): Region {
  const centre: Point = [columnU(v), v];
  const angleRad = columnTilt(v);
  const along = (mm: number): Point => [centre[0] + mm * Math.cos(angleRad), v + mm * Math.sin(angleRad)];
  return {
    shape: roundedBox(centre, [17, halfHeightMm], { exponent: 6, angleRad, nCorners: 16 }),
    intensity: signal.cortex,
    children: [
      {
        shape: roundedBox(centre, [16, halfHeightMm - 1], { exponent: 6, angleRad, nCorners: 16 }),
        intensity: signal.marrow,
        // Basivertebral vein.
        children: [{ shape: ellipse(along(11), [3.5, 1.2], angleRad), intensity: 0.65 }],
      },
    ],
  };
}

function disc(upperV: number, lowerV: number, degenerated: boolean): Region {
  const v = (upperV + lowerV) / 2;
  const centre: Point = [columnU(v), v];
  const angleRad = columnTilt(v);
  return {
    shape: ellipse(centre, [17.5, 4.2], angleRad),
    intensity: signal.annulus,
    children: [
      {
        shape: ellipse(centre, [11, 2.7], angleRad),
        intensity: degenerated ? 0.2 : signal.nucleus,
      },
    ],
  };
}

/** The dural sac down to S2, the cord with its conus at L1, and strands of the cauda equina. */
function dura(sacShare: number, cordShare: number): Region {
  const line = (heights: readonly number[], offsetMm: number, widthMm: (v: number) => number) =>
    band(heights.map((v) => ({ pointMm: [sacU(v) + offsetMm, v] as Point, widthMm: widthMm(v) })));
  const range = (first: number, last: number, step: number) =>
    Array.from({ length: Math.round((last - first) / step) + 1 }, (_, index) => first + index * step);
  const taper = (v: number, from: number, to: number) => Math.min(1, Math.max(0, (to - v) / (to - from)));
  const sacWidth = (v: number) => sacShare * (4 + 11 * taper(v, 70, 122));
  const cordWidth = (v: number) => cordShare * (0.8 + 7.2 * taper(v, -90, -62));
  return {
    shape: line(range(-128, 122, 12.5), 0, sacWidth),
    intensity: signal.fluid,
    children: [
      { shape: line(range(-126, -62, 8), 0, cordWidth), intensity: signal.cord },
      ...[0, 1.9, 3.8].map((offsetMm, strand) => ({
        shape: line(range(-58 + 8 * strand, 98 - 14 * strand, 19.5), sacShare * offsetMm, () => 0.9),
        intensity: signal.roots,
      })),
    ],
  };
}

function spinousProcess(v: number): Region {
  const centre: Point = [sacU(v) + 24, v + 10];
  return {
    shape: ellipse(centre, [12, 6.5], 0.35),
    intensity: signal.cortex,
    children: [{ shape: ellipse(centre, [11, 5.5], 0.35), intensity: signal.marrow }],
  };
}

function epiduralFat(v: number): Region {
  return { shape: ellipse([sacU(v + 20) + 10.5, v + 20], [2.2, 6], columnTilt(v + 20)), intensity: signal.fat };
}

/** Fat between the spinous processes, in streaks. */
function interspinousFat(): Region[] {
  return vertebrae.slice(0, 5).map(({ v }) => ({
    shape: ellipse([sacU(v + 28) + 26, v + 28], [9, 2.5], 0.35),
    intensity: 0.5,
  }));
}

function abdomen(): Region[] {
  const bowel = (centreMm: Point, semiAxesMm: Point, angleRad: number, wall: number, content: number): Region => ({
    shape: ellipse(centreMm, semiAxesMm, angleRad),
    intensity: wall,
    children: [{ shape: ellipse(centreMm, [semiAxesMm[0] - 2, semiAxesMm[1] - 2], angleRad), intensity: content }],
  });
  return [
    {
      shape: roundedBox([-50, -2], [28, 122], { exponent: 5, nCorners: 32 }),
      intensity: 0.55,
      children: [
        // Left lobe of the liver.
        { shape: ellipse([-52, -92], [20, 24], 0.2), intensity: 0.27 },
        bowel([-58, -46], [13, 15], 0.4, 0.25, signal.bowel),
        bowel([-35, -18], [10, 13], -0.3, 0.25, signal.vessel),
        bowel([-62, -8], [11, 16], 0, 0.25, 0.85),
        bowel([-44, 22], [14, 11], 0.5, 0.25, 0.33),
        bowel([-63, 47], [10, 13], -0.4, 0.25, 0.5),
        bowel([-36, 52], [9, 14], 0.1, 0.25, 0.3),
        bowel([-52, 92], [19, 20], 0, 0.2, 0.95),
      ],
    },
    // Aorta, with the flow void of spin echo.
    { shape: ellipse([-16, -28], [5.5, 78], 0), intensity: signal.vessel },
  ];
}
