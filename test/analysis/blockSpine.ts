/**
 * A spine of blocks, drawn in no time: vertebrae, discs, canal, arches, ribs and sacrum as boxes in the frames of their levels,
 * so that every class, name and place is known; and a network that sees them. The analysis is tested apart from what was learned.
 */
import { archCode, bodyCode, discCode, facetCode, foramenCode, structureCodes, type AnalysisSeries, type Frame, type RunModel } from '../../analysis/index.js';
import { frameAlong, intoFrame, latticeOf, moved } from '../../analysis/geometry.js';
import { classIndex, nClasses } from '../../analysis/segment/index.js';
import { voxelOf, volumeOf, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import { Random } from '../../simulator/index.js';

export interface BlockSpine {
  readonly series: AnalysisSeries;
  /** Class and code of each pixel. */
  readonly classes: Uint8Array;
  readonly codes: Uint16Array;
  /** Of vertebrae and segments whose middles are within the image, from head to foot. */
  readonly frames: ReadonlyMap<string, Frame>;
}

export interface BlockOptions {
  readonly nLumbar: 4 | 5 | 6;
  readonly geometry?: ImageGeometry;
  /** Turn from each vertebra to the next in the frontal plane, degrees. */
  readonly bendDeg?: number;
}

const bodyMm = 27;
const discMm = 9;
const [halfWidth, halfDepth] = [22, 17];
/** From left to right 11 slices, 6.4 mm apart; from T10 down. */
export const sagittalGeometry: ImageGeometry = {
  centreMm: [0, 0, 100], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [1, 0, 0], fovMm: [180, 320, 70.4], matrixSize: [180, 320, 11],
};
/** T2w-like, by class. */
const brightness = [40, 300, 260, 200, 1000, 500, 300, 600, 600, 500, 300, 80];

type Range = readonly [number, number];
interface Block {
  readonly frame: Frame;
  readonly u: Range;
  readonly v: Range;
  readonly w: Range;
  readonly structure: number;
  readonly code: number;
}

/** Both sides of what lies beside the midline. */
function sides(frame: Frame, [inner, outer]: Range, v: Range, w: Range, structure: number, code: (side: 'left' | 'right') => number): Block[] {
  return [
    { frame, u: [inner, outer], v, w, structure, code: code('left') },
    { frame, u: [-outer, -inner], v, w, structure, code: code('right') },
  ];
}

export function blockSpine({ nLumbar, geometry = sagittalGeometry, bendDeg = 0 }: BlockOptions): BlockSpine {
  const lumbar = Array.from({ length: nLumbar }, (_, index) => `L${index + 1}`);
  const names = [...Array.from({ length: 12 }, (_, index) => `T${index + 1}`), ...lumbar, 'S1'];
  const blocks: Block[] = [];
  const frames = new Map<string, Frame>();
  // From the sacrum up: lordosis in the lumbar discs, straight above.
  let frame = frameAlong([0, 0, -20], [0, -Math.sin(0.6), Math.cos(0.6)]);
  const turned = (forward: number, aside: number) => {
    frame = frameAlong(frame.originMm, moved(frame.z, [forward, frame.y], [aside, frame.x]));
  };
  const climb = (by: number) => {
    frame = { ...frame, originMm: moved(frame.originMm, [by, frame.z]) };
  };
  const height = bodyMm / 2;
  for (let place = names.length - 1; place >= 0; place--) {
    const name = names[place]!;
    frames.set(name, frame);
    const tube = (w: Range) => {
      const structure = place < 13 ? 'cord' : 'sac';
      blocks.push({ frame, u: [-8, 8], v: [halfDepth + 2, halfDepth + 16], w, structure: classIndex.sac, code: structureCodes.sac });
      if (structure === 'cord') blocks.push({ frame, u: [-5, 5], v: [halfDepth + 6, halfDepth + 13], w, structure: classIndex.cord, code: structureCodes.cord });
    };
    if (name === 'S1') {
      blocks.push({ frame, u: [-30, 30], v: [-14, 14], w: [-60, height], structure: classIndex.sacrum, code: structureCodes.sacrum });
      blocks.push({ frame, u: [-halfWidth, halfWidth], v: [-14, 14], w: [-height, height], structure: classIndex.sacrum, code: bodyCode('S1') });
    } else {
      const [v, bone, code] = [halfDepth, classIndex.posteriorElements, archCode(name)];
      blocks.push({ frame, u: [-halfWidth, halfWidth], v: [-v, v], w: [-height, height], structure: classIndex.vertebralBody, code: bodyCode(name) });
      blocks.push(...sides(frame, [9, 17], [v, v + 18], [1, 10], bone, () => code));
      if (place > 11) blocks.push(...sides(frame, [17, halfWidth + 14], [v + 6, v + 16], [-5, 4], bone, () => code));
      blocks.push({ frame, u: [-17, 17], v: [v + 18, v + 23], w: [-10, 10], structure: bone, code });
      blocks.push({ frame, u: [-4, 4], v: [v + 23, v + 42], w: [-14, 2], structure: bone, code });
      if (place < 12) blocks.push(...sides(frame, [halfWidth + 2, halfWidth + 12], [v + 1, v + 12], [2, 12], classIndex.otherBone, () => structureCodes.otherBone));
    }
    tube([-height - 1, height + 1]);
    if (place === 0) break;
    const forward = place > 12 ? Math.tan(0.06) : 0;
    climb(height + discMm / 2);
    turned(forward, Math.tan((bendDeg * Math.PI) / 180));
    const segment = `${names[place - 1]!}-${name}`;
    frames.set(segment, frame);
    blocks.push({ frame, u: [-halfWidth, halfWidth], v: [-halfDepth, halfDepth], w: [-discMm / 2, discMm / 2], structure: classIndex.disc, code: discCode(segment) });
    blocks.push(...sides(frame, [9, 17], [halfDepth + 1, halfDepth + 10], [-5, 14], classIndex.foramen, (side) => foramenCode(segment, side)));
    blocks.push(...sides(frame, [12, 18], [halfDepth + 18, halfDepth + 23], [-5, 5], classIndex.facetJoint, (side) => facetCode(segment, side)));
    tube([-discMm / 2 - 1, discMm / 2 + 1]);
    turned(forward, 0);
    climb(discMm / 2 + height);
  }
  const [columns, rows, slices] = geometry.matrixSize;
  const [classes, codes] = [new Uint8Array(columns * rows * slices), new Uint16Array(columns * rows * slices)];
  for (const block of blocks) paintBlock(block, geometry, classes, codes);
  const isWithin = ({ originMm }: Frame) => voxelOf(geometry, originMm).every((index, axis) => index > -0.5 && index < geometry.matrixSize[axis]! - 0.5);
  return {
    series: seriesOf(classes, geometry), classes, codes,
    frames: new Map([...frames].filter(([, own]) => isWithin(own)).sort(([, a], [, b]) => b.originMm[2] - a.originMm[2])),
  };
}

export function seriesOf(classes: Uint8Array, geometry: ImageGeometry): AnalysisSeries {
  const volume: Volume = volumeOf(geometry, Float32Array.from(classes, (structure) => brightness[structure]!));
  const orientation = Math.abs(geometry.sliceDirection[0]) > 0.7 ? 'sagittal' : 'axial';
  return { volume, contrast: 't2w', orientation, synthetic: false, denoised: false, description: `t2w ${orientation}` };
}

function paintBlock({ frame, u, v, w, structure, code }: Block, geometry: ImageGeometry, classes: Uint8Array, codes: Uint16Array): void {
  const { origin, across, down, on } = latticeOf(geometry);
  const [columns, rows, slices] = geometry.matrixSize;
  const corners = u.flatMap((a) => v.flatMap((b) => w.map((c) => voxelOf(geometry, moved(frame.originMm, [a, frame.x], [b, frame.y], [c, frame.z])))));
  const range = (axis: 0 | 1 | 2, most: number): Range => [
    Math.max(0, Math.floor(Math.min(...corners.map((corner) => corner[axis])))), Math.min(most - 1, Math.ceil(Math.max(...corners.map((corner) => corner[axis])))),
  ];
  const [[c0, c1], [r0, r1], [s0, s1]] = [range(0, columns), range(1, rows), range(2, slices)];
  for (let slice = s0; slice <= s1; slice++) {
    for (let row = r0; row <= r1; row++) {
      for (let column = c0; column <= c1; column++) {
        const local = intoFrame(frame, moved(origin, [column, across], [row, down], [slice, on]));
        if (local[0] < u[0] || local[0] > u[1] || local[1] < v[0] || local[1] > v[1] || local[2] < w[0] || local[2] > w[1]) continue;
        const at = (slice * rows + row) * columns + column;
        classes[at] = structure;
        codes[at] = code;
      }
    }
  }
}

/** Borders moved by about a pixel, smoothly; islands and holes of every kind. */
export function worsened(classes: Uint8Array, { matrixSize: [columns, rows, slices] }: ImageGeometry, seed: number, nIslands = 12): Uint8Array {
  const random = new Random(seed);
  const worse = new Uint8Array(classes.length);
  const kinds = [0, classIndex.vertebralBody, classIndex.disc, classIndex.sac, classIndex.sacrum, classIndex.posteriorElements];
  for (let slice = 0; slice < slices; slice++) {
    const start = slice * rows * columns;
    const waves = Array.from({ length: 4 }, () => [0.3 * random.normal(), 0.3 * random.normal(), 6 * random.uniform()] as const);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [a, b, c, d] = waves.map(([across, down, phase]) => Math.sin(across * column + down * row + phase)) as [number, number, number, number];
        const [y, x] = [Math.min(rows - 1, Math.max(0, row + Math.round(0.8 * (a + b)))), Math.min(columns - 1, Math.max(0, column + Math.round(0.8 * (c + d))))];
        worse[start + row * columns + column] = classes[start + y * columns + x]!;
      }
    }
    for (let island = 0; island < nIslands; island++) {
      const [y, x, radius, kind] = [random.uniform() * rows, random.uniform() * columns, 1 + 3 * random.uniform(), kinds[Math.floor(kinds.length * random.uniform())]!];
      for (let row = Math.max(0, Math.ceil(y - radius)); row < Math.min(rows, y + radius); row++) {
        for (let column = Math.max(0, Math.ceil(x - radius)); column < Math.min(columns, x + radius); column++) if (Math.hypot(row - y, column - x) < radius) worse[start + row * columns + column] = kind;
      }
    }
  }
  return worse;
}

/** The pixels that a test picks set to a class, by place in the patient. */
export function repainted(classes: Uint8Array, geometry: ImageGeometry, isIn: (place: Vector3, now: number) => boolean, to: number): Uint8Array {
  const { origin, across, down, on } = latticeOf(geometry);
  const [columns, rows] = geometry.matrixSize;
  return classes.map((now, at) => {
    const [column, line] = [at % columns, Math.floor(at / columns)];
    return isIn(moved(origin, [column, across], [line % rows, down], [Math.floor(line / rows), on]), now) ? to : now;
  });
}

/** A network that is asked for the slices of these, one after the other, and sees their classes. */
export function networkOf(all: readonly { readonly classes: Uint8Array; readonly geometry: ImageGeometry }[]): RunModel & { readonly asked: (readonly number[])[] } {
  const planes = all.flatMap(({ classes, geometry: { matrixSize: [columns, rows, slices] } }) =>
    Array.from({ length: slices }, (_, slice) => ({ columns, rows, data: classes.subarray(slice * rows * columns, (slice + 1) * rows * columns) })));
  const asked: (readonly number[])[] = [];
  const run: RunModel = ({ image }) => {
    const { columns, rows, data } = planes[asked.length]!;
    asked.push(image!.dims);
    const [, , paddedRows, paddedColumns] = image!.dims as [number, number, number, number];
    const logits = new Float32Array(nClasses * paddedRows * paddedColumns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) logits[(data[row * columns + column]! * paddedRows + row) * paddedColumns + column] = 6;
    }
    return Promise.resolve({ logits: { dims: [1, nClasses, paddedRows, paddedColumns], data: logits } });
  };
  return Object.assign(run, { asked });
}
