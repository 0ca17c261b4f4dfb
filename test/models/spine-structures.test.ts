/** The shipped segmentation on a simulated spine that it never saw: what is found in T1w and T2w, sagittal and axial. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { classIndex, nClasses } from '../../analysis/segment/classes.js';
import { normalise } from '../../analysis/segment/normalise.js';
import { fastSpinEcho, waterAndFat, type FastSpinEchoSequence, type Vector3 } from '../../imaging/index.js';
import { ModelHost, readModels } from '../../models/index.js';
import { buildPatient, drawPatient, outOfFrame, paintChannels, paintLabels, type Frame, type Plane } from '../../simulator/index.js';

const matrix = 224;
const nPixels = matrix * matrix;
const sequences = {
  t1w: { trMs: 600, teMs: 10, echoTrainLength: 3, echoSpacingMs: 10, refocusingAngleDeg: 150 },
  t2w: { trMs: 3500, teMs: 100, echoTrainLength: 17, echoSpacingMs: 10, refocusingAngleDeg: 150 },
} as const satisfies Record<string, FastSpinEchoSequence>;
type Contrast = keyof typeof sequences;

/** Classes of the network and the labels that they stand for. */
const structures = {
  body: { classes: [classIndex.vertebralBody], is: (label: number) => label > 100 && label < 126 },
  disc: { classes: [classIndex.disc], is: (label: number) => label > 300 && label < 326 },
  canal: { classes: [classIndex.sac, classIndex.cord], is: (label: number) => label === 1 || label === 2 },
  sacrum: { classes: [classIndex.sacrum], is: (label: number) => label === 9 || (label > 125 && label < 132) || (label > 225 && label < 232) || (label > 325 && label < 332) },
} as const;
type Structure = keyof typeof structures;

const { anatomy, discs, fat } = buildPatient(drawPatient({ seed: 700_500, region: 'lumbar', pathology: '' }, 1.5), 1.5);

function planeAt(frame: Frame, columns: Vector3, rows: Vector3, pixelMm: number, behindMm: number): Plane {
  const centre = outOfFrame(frame, [0, behindMm, 0]);
  const half = (matrix / 2 - 0.5) * pixelMm;
  const step = (along: Vector3) => along.map((value) => value * pixelMm) as unknown as Vector3;
  return {
    originMm: centre.map((value, axis) => value - half * (columns[axis]! + rows[axis]!)) as unknown as Vector3,
    columnStepMm: step(columns), rowStepMm: step(rows), nColumns: matrix, nRows: matrix,
  };
}

function painted(plane: Plane, contrast: Contrast): Float32Array {
  const coefficients = new Map([...anatomy.tissues].map(([name, tissue]) => {
    const { water, fat: ofFat } = waterAndFat(tissue, fat, (relaxation) => fastSpinEcho(relaxation, sequences[contrast]));
    return [name, [water + ofFat]];
  }));
  const image = [new Float32Array(nPixels)];
  paintChannels(anatomy, plane, coefficients, image, 1);
  normalise(image[0]!, false);
  return image[0]!;
}

let host: ModelHost;
beforeAll(async () => {
  host = new ModelHost((await readModels()).filter(({ id }) => id === 'spine-structures'), { threads: 1 });
}, 60_000);
afterAll(() => host.close());

async function segment(plane: Plane, contrast: Contrast): Promise<Uint8Array> {
  const { logits } = await host.run('spine-structures', { image: { dims: [1, 1, matrix, matrix], data: painted(plane, contrast) } });
  const classes = new Uint8Array(nPixels);
  for (let pixel = 0; pixel < nPixels; pixel++) {
    for (let value = 1; value < nClasses; value++) {
      if (logits!.data[value * nPixels + pixel]! > logits!.data[classes[pixel]! * nPixels + pixel]!) classes[pixel] = value;
    }
  }
  return classes;
}

function dice(first: (pixel: number) => boolean, second: (pixel: number) => boolean): number {
  let [both, either] = [0, 0];
  for (let pixel = 0; pixel < nPixels; pixel++) {
    const [a, b] = [first(pixel), second(pixel)];
    both += a && b ? 2 : 0;
    either += (a ? 1 : 0) + (b ? 1 : 0);
  }
  return both / either;
}

const shows = (classes: Uint8Array, structure: Structure) => (pixel: number) => (structures[structure].classes as readonly number[]).includes(classes[pixel]!);

const sagittal = planeAt(discs.get('L3-L4')!, [0, 1, 0], [0, 0, -1], 0.8, 20);
const disc = discs.get('L4-L5')!;
const axial = planeAt(disc, disc.x, disc.y, 0.625, 20);
const cases: readonly [string, Plane, readonly Structure[], number][] = [
  ['mid-sagittal', sagittal, ['body', 'disc', 'canal', 'sacrum'], 0.85],
  ['axial, in the plane of a disc', axial, ['disc', 'canal'], 0.8],
];

describe.each(cases)('structures of the spine, %s', (_, plane, expected, least) => {
  const { labels } = paintLabels(anatomy, plane);
  let found: Record<Contrast, Uint8Array>;
  beforeAll(async () => {
    found = { t1w: await segment(plane, 't1w'), t2w: await segment(plane, 't2w') };
  }, 60_000);

  it.each(['t1w', 't2w'] as const)('are where they are in %s', (contrast) => {
    for (const structure of expected) {
      expect([structure, dice(shows(found[contrast], structure), (pixel) => structures[structure].is(labels[pixel]!)) > least]).toEqual([structure, true]);
    }
  });

  it('are the same in both', () => {
    for (const structure of expected) expect([structure, dice(shows(found.t1w, structure), shows(found.t2w, structure)) > least]).toEqual([structure, true]);
  });
});
