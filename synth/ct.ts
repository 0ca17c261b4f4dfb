/**
 * Synthetic CT: Hounsfield units of what lies behind T1w and T2w, by the network models/synthetic-ct, which reads the
 * images without shading over their means and the parameter maps (synthesise.ts):
 *
 *   HU, ln u = network([T1w/m1, T2w/m2], [ln PD, ln T1, ln T2, logit FF])
 *
 * u is half the width of the interval that holds the true value in nine of ten pixels. HU come as whole numbers within what
 * 12 bits hold. Cortical bone and gas give no signal in either image: what lies around tells them apart, and where it does
 * not u is wide.
 *
 * Planes. Lengths may be taken, if at all (the card tells how far they are off), within the acquired slices; across them only where
 * the slices lie no further apart than 1.5 pixels. Otherwise a reformatted plane has its edges from interpolation, not from the scan.
 */
import type { CodedError } from 'ismrmrd';
import { mostAnisotropyAcross, sliceAnisotropy, voxelSizeMm, type ImageGeometry, type Volume } from '../imaging/index.js';
import { runTiled, type Tensor } from '../models/index.js';
import type { TissueMaps } from './contrasts.js';
import { synthesisError } from './errors.js';
import type { NetworkImages } from './tensors.js';
import type { RunModel, SynthesisReason } from './types.js';

const multipleOf = 32;
const leastHu = -1024;
const mostHu = 3071;
/** Where maps hold less, logarithms and odds end. */
const leastShare = 1e-3;

export type AnatomicalPlane = 'sagittal' | 'axial' | 'coronal';

export interface MeasurementPlanes {
  /** The plane nearest to that of the slices. */
  readonly acquired: AnatomicalPlane;
  /** Whether lengths may be measured in every plane, or in the acquired one only. */
  readonly isVolumetric: boolean;
  /** Distance of slices over that of pixels. */
  readonly anisotropy: number;
  /** For people. */
  readonly note: string;
}

export interface SyntheticCt {
  /** Whole Hounsfield units, -1024 to 3071. */
  readonly volume: Volume<Float32Array>;
  /** HU to either side between which the true value lies in nine of ten pixels. */
  readonly uncertainty: Volume<Float32Array>;
  readonly planes: MeasurementPlanes;
  /** Green: notes that go with the images. */
  readonly reasons: readonly SynthesisReason[];
}

/**
 * @param images without shading, over their means; both T1w and T2w
 * @param maps of the same voxels, as the maps network gave them, air included
 * @param run the network models/synthetic-ct
 * @param slicesPerRun slices that the network gets at once
 * @throws CodedError (as a rejection) SYNTH_ERR_NETWORK; what `run` rejects with
 */
export async function syntheticCt(geometry: ImageGeometry, images: NetworkImages, maps: TissueMaps, run: RunModel, slicesPerRun = 1): Promise<SyntheticCt> {
  const { slices, rows, columns, t1w, t2w } = images;
  const nPixels = rows * columns;
  const together = (channels: readonly ArrayLike<number>[]): Tensor => {
    const data = new Float32Array(slices * channels.length * nPixels);
    channels.forEach((channel, index) => {
      for (let slice = 0; slice < slices; slice++) {
        const to = (slice * channels.length + index) * nPixels;
        for (let pixel = 0; pixel < nPixels; pixel++) data[to + pixel] = channel[slice * nPixels + pixel]!;
      }
    });
    return { dims: [slices, channels.length, rows, columns], data };
  };
  const none = new Float32Array(slices * nPixels);
  const inputs = {
    images: together([t1w ?? none, t2w ?? none]),
    maps: together([maps.protonDensity.map((value) => Math.log(Math.max(value, leastShare))), maps.lnT1Ms, maps.lnT2Ms, maps.fatFraction.map(logit)]),
  };
  const { hounsfield, spread } = await runTiled(run, inputs, { multipleOf, overlap: 0 }, slicesPerRun);
  for (const output of [hounsfield, spread]) {
    if (output?.data.length !== slices * nPixels) throw synthesisError('SYNTH_ERR_NETWORK', `${output?.dims.join(' x ') ?? 'nothing'} for ${slices} x 1 x ${rows} x ${columns}`);
  }
  const planes = measurementPlanes(geometry);
  return {
    volume: { geometry, data: hounsfield!.data.map((value) => Math.round(Math.min(mostHu, Math.max(leastHu, value)))) },
    uncertainty: { geometry, data: spread!.data.map((value) => Math.round(Math.min(mostHu - leastHu, Math.exp(value)))) },
    planes,
    reasons: planes.isVolumetric ? [] : [{ code: 'SYNTH_WARN_CT_PLANES', light: 'green', message: planes.note }],
  };
}

/** Why there is no CT of such slices, if there is none. @throws IMG_ERR_GEOMETRY */
export function refusalOfCt(geometry: ImageGeometry): CodedError | undefined {
  const { acquired } = measurementPlanes(geometry);
  return acquired === 'coronal' ? synthesisError('SYNTH_ERR_CT_INPUT', 'coronal slices') : undefined;
}

/** In which planes lengths may be measured. @throws IMG_ERR_GEOMETRY */
export function measurementPlanes(geometry: ImageGeometry): MeasurementPlanes {
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  const anisotropy = sliceAnisotropy(geometry);
  const sizes = geometry.sliceDirection.map(Math.abs);
  const acquired = (['sagittal', 'coronal', 'axial'] as const)[sizes.indexOf(Math.max(...sizes))]!;
  const isVolumetric = anisotropy <= mostAnisotropyAcross && geometry.matrixSize[2] > 1;
  const note = isVolumetric
    ? 'synthetic CT: edges are those of the scan in every plane'
    : `synthetic CT: edges are those of the scan in ${acquired} planes only (slices ${sliceMm.toFixed(1)} mm apart, pixels of ${Math.max(columnMm, rowMm).toFixed(2)} mm)`;
  return { acquired, isVolumetric, anisotropy, note };
}

function logit(share: number): number {
  const within = Math.min(1 - leastShare, Math.max(leastShare, share));
  return Math.log(within / (1 - within));
}
