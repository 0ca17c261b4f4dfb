/**
 * The noise map of a CT image by its dose and kernel, where the scanner that it is from is described (section `ct` of the
 * configuration). What the image says of them: attributes of an MRD image that are named as in DICOM (ConvolutionKernel, Exposure or
 * ExposureInuAs, SliceThickness, KVP, DataCollectionCenterPatient), or a DICOM image.
 */
import type { Vector3 } from '../../imaging/index.js';
import { ctNoiseOfDose, reachesBorder } from '../../recon/index.js';
import type { CtBeam, CtImageGrid, CtNoiseByDose, CtSliceImage, CtWaterNoise } from '../../recon/index.js';

export interface CtKernelNoise extends CtWaterNoise {
  /** As in ConvolutionKernel. */
  readonly kernel: string;
  /** Of images at another voltage it says nothing. */
  readonly tubeVoltageKv?: number | undefined;
}

export interface CtScanner extends CtBeam {
  /** Name of the station or of the device; every scanner where it is absent. */
  readonly station?: string | undefined;
  readonly kernels: readonly CtKernelNoise[];
}

/** What an image says of how it was made, as far as it does. */
export interface CtAcquisition {
  readonly kernel: string | undefined;
  readonly exposureMas: number | undefined;
  readonly sliceThicknessMm: number | undefined;
  readonly tubeVoltageKv: number | undefined;
  /** Of pixel [floor(rows / 2), floor(columns / 2)], LPS. */
  readonly centreMm: Vector3;
  /** It is taken for the image's centre where nothing tells; of the bowtie only that is a matter. */
  readonly isocentreMm: Vector3 | undefined;
  /** To later columns, and to later rows; unit vectors. */
  readonly rowDirection: Vector3;
  readonly columnDirection: Vector3;
}

/** Slices that are less axial than this (cosine) are reformatted: their noise is that of many slices. */
const leastAxial = 0.85;

/** The description that is of a scanner of these names. */
export function ctScannerOf(names: readonly (string | undefined)[], scanners: readonly CtScanner[]): CtScanner | undefined {
  return scanners.find(({ station }) => station === undefined || names.includes(station));
}

export function ctNoiseByDose(scanner: CtScanner, acquisition: CtAcquisition, slice: CtSliceImage): CtNoiseByDose {
  const { kernel: kernelName, exposureMas, sliceThicknessMm, tubeVoltageKv: voltageKv } = acquisition;
  if (kernelName === undefined) return { unknown: 'it has no ConvolutionKernel' };
  if (!isAboveZero(exposureMas)) return { unknown: 'it has no Exposure' };
  if (!isAboveZero(sliceThicknessMm)) return { unknown: 'it has no SliceThickness' };
  const water = scanner.kernels.find(({ kernel, tubeVoltageKv }) => kernel === kernelName && (tubeVoltageKv === undefined || tubeVoltageKv === voltageKv));
  if (water === undefined) return { unknown: `the configuration has no kernel "${kernelName}"${voltageKv === undefined ? '' : ` at ${voltageKv} kV`} of its scanner` };
  const { rowDirection: row, columnDirection: column } = acquisition;
  if (!(Math.abs(row[0] * column[1] - row[1] * column[0]) >= leastAxial)) return { unknown: 'it is no axial slice' };
  if (reachesBorder(slice.hounsfield, slice.rows, slice.columns)) return { unknown: 'the body goes on outside of it' };
  return ctNoiseOfDose(slice.hounsfield, gridOf(acquisition, slice), { exposureMas, sliceThicknessMm }, water, scanner);
}

/** Values by their names in DICOM: of a DICOM image, or attributes of an MRD image. */
export interface NamedValues {
  text(name: string): string | undefined;
  numbers(name: string): readonly number[] | undefined;
}

/** @param thicknessMm as the image's geometry has it */
export function ctAcquisitionOf(values: NamedValues, place: Pick<CtAcquisition, 'centreMm' | 'rowDirection' | 'columnDirection'>, thicknessMm: number | undefined): CtAcquisition {
  const first = (name: string) => values.numbers(name)?.[0];
  const microampereSeconds = first('ExposureInuAs');
  const [x, y, z] = values.numbers('DataCollectionCenterPatient') ?? [];
  return {
    ...place,
    kernel: values.text('ConvolutionKernel'),
    exposureMas: first('Exposure') ?? (microampereSeconds === undefined ? undefined : microampereSeconds / 1000),
    sliceThicknessMm: first('SliceThickness') ?? thicknessMm,
    tubeVoltageKv: first('KVP'),
    isocentreMm: x === undefined || y === undefined || z === undefined ? undefined : [x, y, z],
  };
}

/** What is no number counts as absent. */
export function valuesOfMeta(meta: ReadonlyMap<string, readonly string[]>): NamedValues {
  return {
    text: (name) => meta.get(name)?.[0],
    numbers: (name) => {
      const numbers = (meta.get(name) ?? []).filter((text) => text.trim() !== '').map(Number).filter(Number.isFinite);
      return numbers.length === 0 ? undefined : numbers;
    },
  };
}

function gridOf({ centreMm, isocentreMm = centreMm, rowDirection, columnDirection }: CtAcquisition, { rows, columns, pixelMm }: CtSliceImage): CtImageGrid {
  const alongMm = (direction: Vector3) => direction.reduce((sum, part, axis) => sum + part * (centreMm[axis]! - isocentreMm[axis]!), 0);
  return {
    rows, columns, pixelMm,
    firstXMm: alongMm(rowDirection) - Math.floor(columns / 2) * pixelMm,
    firstYMm: alongMm(columnDirection) - Math.floor(rows / 2) * pixelMm,
  };
}

const isAboveZero = (value: number | undefined): value is number => value !== undefined && value > 0;
