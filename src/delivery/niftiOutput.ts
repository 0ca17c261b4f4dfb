/**
 * Images as NIfTI-1 volumes: the slices of a series that lie on one regular grid, stacked. Series,
 * contrasts, repetitions, phases, sets and coils are volumes of their own; so are blocks of slices that are tilted or
 * spaced differently, as axial slices along discs are.
 */
import { writeFile } from 'node:fs/promises';
import type { MrdHeader } from 'ismrmrd';
import { volumeOf, writeNifti, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import type { ReconNotice } from '../../recon/index.js';
import { warning } from './errors.js';
import { SeriesBook, type DeliveredImage } from './series.js';
import type { DeliverySettings, ImageOutput } from './types.js';

/** Slices whose distances differ by no more are evenly spaced: scanners send float32. */
const spacingToleranceMm = 0.01;
const directionTolerance = 1e-4;

/** One volume becomes `name.nii.gz`; several become `name-1.nii.gz`, `name-2.nii.gz` and so on, in the order of their first slices. */
export function openNiftiOutput(path: string, header: MrdHeader | undefined, settings: DeliverySettings): ImageOutput {
  const book = new SeriesBook(header, { ...settings, pixelType: 'float32' });
  const stacks = new Map<string, DeliveredImage[]>();
  return {
    write(image) {
      const placed = book.place(image);
      const { contrast, phase, repetition, set } = image.counters;
      const key = [placed.series.index, image.coil ?? 0, contrast, phase, repetition, set].join(' ');
      const stack = stacks.get(key);
      if (stack === undefined) stacks.set(key, [placed]);
      else stack.push(placed);
      return Promise.resolve();
    },
    async close() {
      const volumes = [...stacks.values()].flatMap(volumesOf);
      const extension = /\.nii(\.gz)?$/i.exec(path)![0];
      const stem = path.slice(0, -extension.length);
      const files: string[] = [];
      for (const [index, { volume, description }] of volumes.entries()) {
        const file = volumes.length === 1 ? path : `${stem}-${index + 1}${extension}`;
        await writeFile(file, writeNifti(volume, { gzip: extension.toLowerCase().endsWith('.gz'), description }));
        files.push(file);
      }
      return { files, notices: [...book.notices, ...unknownGeometry(stacks)] };
    },
  };
}

interface DescribedVolume {
  readonly volume: Volume;
  readonly description: string;
}

/** The last delivery of each slice, in runs of even spacing. */
function volumesOf(stack: readonly DeliveredImage[]): DescribedVolume[] {
  const bySlice = new Map(stack.map((placed) => [placed.image.counters.slice, placed]));
  const blocks: DeliveredImage[][] = [];
  for (const placed of [...bySlice.values()].sort((a, b) => a.image.counters.slice - b.image.counters.slice)) {
    const block = blocks.at(-1);
    if (block !== undefined && continues(block, placed)) block.push(placed);
    else blocks.push([placed]);
  }
  return blocks.map(stacked);
}

function continues(block: readonly DeliveredImage[], next: DeliveredImage): boolean {
  const last = block.at(-1)!;
  const [a, b] = [geometryOf(last), geometryOf(next)];
  const parallel = (['rowDirection', 'columnDirection', 'sliceDirection'] as const).every((direction) =>
    a[direction].every((value, axis) => Math.abs(value - b[direction][axis]!) <= directionTolerance),
  );
  if (!parallel) return false;
  if (block.length === 1) return true;
  const step = between(geometryOf(block.at(-2)!).centreMm, a.centreMm);
  const nextStep = between(a.centreMm, b.centreMm);
  return step.every((value, axis) => Math.abs(value - nextStep[axis]!) <= spacingToleranceMm);
}

function stacked(block: readonly DeliveredImage[]): DescribedVolume {
  const first = geometryOf(block[0]!);
  const step = block.length === 1 ? first.sliceDirection : between(first.centreMm, geometryOf(block[1]!).centreMm);
  const spacingMm = block.length === 1 ? first.fovMm[2] : Math.hypot(...step);
  // Slices may count up against the slice direction; a volume's third axis goes the way that its slices do.
  const ascends = step.reduce((sum, value, axis) => sum + value * first.sliceDirection[axis]!, 0) >= 0;
  const direction: Vector3 = ascends ? first.sliceDirection : [-first.sliceDirection[0], -first.sliceDirection[1], -first.sliceDirection[2]];
  const [columns, rows] = first.matrixSize;
  const geometry: ImageGeometry = {
    ...first,
    centreMm: geometryOf(block[Math.floor(block.length / 2)]!).centreMm,
    sliceDirection: direction,
    fovMm: [first.fovMm[0], first.fovMm[1], spacingMm * block.length],
    matrixSize: [columns, rows, block.length],
  };
  const data = new Float32Array(columns * rows * block.length);
  block.forEach(({ pixels }, slice) => data.set(pixels as Float32Array, slice * columns * rows));
  return { volume: volumeOf(geometry, data), description: block[0]!.series.description };
}

/** Where the scanner gave no directions: columns to the left, rows to posterior, and it is said. */
function geometryOf({ image }: DeliveredImage): ImageGeometry {
  if (image.geometry !== undefined) return image.geometry;
  const thicknessMm = image.fovMm[2] > 0 ? image.fovMm[2] : 1;
  return {
    centreMm: [0, 0, image.counters.slice * thicknessMm],
    rowDirection: [1, 0, 0],
    columnDirection: [0, 1, 0],
    sliceDirection: [0, 0, 1],
    fovMm: [image.fovMm[0], image.fovMm[1], thicknessMm],
    matrixSize: [image.columns, image.rows, 1],
  };
}

function unknownGeometry(stacks: ReadonlyMap<string, readonly DeliveredImage[]>): ReconNotice[] {
  const unknown = [...stacks.values()].flat().filter(({ image }) => image.geometry === undefined).length;
  return unknown === 0 ? [] : [warning('CONUS_WARN_NIFTI_GEOMETRY', `${unknown} images without known directions`)];
}

function between(a: Vector3, b: Vector3): Vector3 {
  return [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
}
