/**
 * The noise map of a CT image by its dose and kernel, where the scanner that it is from is described (section `ct` of the
 * configuration). Kernel, exposure, tube voltage and the isocentre are attributes of the image, by their names in DICOM: ConvolutionKernel,
 * Exposure or ExposureInuAs, SliceThickness, KVP, DataCollectionCenterPatient.
 */
import type { MrdHeader, MrdImage } from 'ismrmrd';
import { ctNoiseOfDose, reachesBorder } from '../../recon/index.js';
import type { CtBeam, CtImageGrid, CtSliceImage, CtWaterNoise } from '../../recon/index.js';

export interface CtKernelNoise extends CtWaterNoise {
  /** As in ConvolutionKernel. */
  readonly kernel: string;
  /** Of images at another voltage it says nothing. */
  readonly tubeVoltageKv?: number | undefined;
}

export interface CtScanner extends CtBeam {
  /** stationName or deviceID of the header; every scanner where it is absent. */
  readonly station?: string | undefined;
  readonly kernels: readonly CtKernelNoise[];
}

type Meta = ReadonlyMap<string, readonly string[]>;

/** Slices that are less axial than this (cosine) are reformatted: their noise is that of many slices. */
const leastAxial = 0.85;

/** The description that is of the scanner of a header. */
export function scannerOf({ acquisitionSystemInformation: system }: MrdHeader, scanners: readonly CtScanner[]): CtScanner | undefined {
  return scanners.find(({ station }) => station === undefined || station === system?.stationName || station === system?.deviceID);
}

/** @returns float32 [rows, columns], HU; or, in words, why dose and kernel do not tell it */
export function ctNoiseByDose(scanner: CtScanner, { header }: Pick<MrdImage, 'header'>, meta: Meta, slice: CtSliceImage): Float32Array | { readonly unknown: string } {
  const { rows, columns, hounsfield } = slice;
  const kernelName = meta.get('ConvolutionKernel')?.[0];
  if (kernelName === undefined) return { unknown: 'it has no ConvolutionKernel' };
  const exposureMas = numbersOf(meta, 'Exposure')[0] ?? (numbersOf(meta, 'ExposureInuAs')[0] ?? NaN) / 1000;
  if (!(exposureMas > 0)) return { unknown: 'it has no Exposure' };
  const sliceThicknessMm = numbersOf(meta, 'SliceThickness')[0] ?? header.fovMm[2];
  if (!(sliceThicknessMm > 0)) return { unknown: 'it has no SliceThickness' };
  const voltageKv = numbersOf(meta, 'KVP')[0];
  const water = scanner.kernels.find(({ kernel, tubeVoltageKv }) => kernel === kernelName && (tubeVoltageKv === undefined || tubeVoltageKv === voltageKv));
  if (water === undefined) return { unknown: `the configuration has no kernel "${kernelName}"${voltageKv === undefined ? '' : ` at ${voltageKv} kV`} of its scanner` };
  if (!(Math.abs(header.sliceDir[2]) >= leastAxial)) return { unknown: 'it is no axial slice' };
  if (reachesBorder(hounsfield, rows, columns)) return { unknown: 'the body goes on outside of it' };
  return ctNoiseOfDose(hounsfield, gridOf(header, meta, slice), { exposureMas, sliceThicknessMm }, water, scanner);
}

/** Pixel floor(N / 2) lies on the position; it is taken for the isocentre where nothing tells that. */
function gridOf({ position, readDir, phaseDir }: MrdImage['header'], meta: Meta, { rows, columns, pixelMm }: CtSliceImage): CtImageGrid {
  const told = numbersOf(meta, 'DataCollectionCenterPatient');
  const isocentre = told.length === 3 ? told : position;
  const alongMm = (direction: readonly number[]) => direction.reduce((sum, part, axis) => sum + part * (position[axis]! - isocentre[axis]!), 0);
  return {
    rows, columns, pixelMm,
    firstXMm: alongMm(readDir) - Math.floor(columns / 2) * pixelMm,
    firstYMm: alongMm(phaseDir) - Math.floor(rows / 2) * pixelMm,
  };
}

/** Those that are numbers. */
function numbersOf(meta: Meta, name: string): number[] {
  return (meta.get(name) ?? []).filter((text) => text.trim() !== '').map(Number).filter(Number.isFinite);
}
