/** How an image is called and what was done to it, in the words that MRD attributes and DICOM share. */
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage, ReconImageKind } from '../../recon/index.js';
import { denoisingText, strengthMark } from './denoised.js';
import { qualityText } from './derivation.js';
import { isSimulated, simulatedMark } from './headerFacts.js';
import type { DeliverySettings } from './types.js';

type MapKind = Exclude<ReconImageKind, 'image'>;

/** Of each map: its code string (DICOM CS, at most 16 characters), its step of the history, its name for people. */
const maps: Readonly<Record<MapKind, { readonly mark: string; readonly step: string; readonly name: string }>> = {
  gFactor: { mark: 'GFACTOR', step: 'GFactorMap', name: 'g-factor map' },
  noise: { mark: 'NOISE', step: 'NoiseMap', name: 'noise map' },
  snr: { mark: 'SNR', step: 'SnrMap', name: 'SNR map' },
  coilMap: { mark: 'COILMAP', step: 'CoilMap', name: 'coil map' },
  psf: { mark: 'PSF', step: 'PointSpread', name: 'point-spread function' },
  denoised: { mark: 'DENOISED', step: 'Denoising', name: 'denoised image' },
  residual: { mark: 'RESIDUAL', step: 'DenoisingResidual', name: 'what denoising took out' },
};

/** What the description of a series ends with; an ordinary image series carries no mark. */
export function seriesMark(image: Pick<ReconImage, 'kind' | 'method' | 'denoising'>): string {
  const marks = [];
  if (image.denoising !== undefined) marks.push(strengthMark(image.denoising));
  if (image.kind !== 'image' && image.kind !== 'denoised') marks.push(maps[image.kind].mark);
  if (image.method === 'zeroFilled') marks.push('ZEROFILLED');
  return marks.join(' ');
}

/** DICOM's ImageType: code strings, at most 16 characters each. Maps are derived, images are not. */
export function imageTypeValues(image: Pick<ReconImage, 'kind' | 'method'>): string[] {
  const method = { full: 'FULL', grappa: 'GRAPPA', sense: 'SENSE', l1: 'L1WAVELET', zeroFilled: 'ZEROFILLED' }[image.method];
  if (image.kind === 'image') return ['ORIGINAL', 'PRIMARY', 'M', method];
  if (image.kind === 'denoised') return ['DERIVED', 'PRIMARY', 'M', method, maps.denoised.mark];
  return ['DERIVED', 'PRIMARY', maps[image.kind].mark, method];
}

/** The unit of the pixel values after RescaleSlope, by its UCUM code and in words. */
export function unitOf(image: Pick<ReconImage, 'kind' | 'snrUnits'>): { code: string; meaning: string } {
  return image.snrUnits || image.kind === 'gFactor' || image.kind === 'coilMap' || image.kind === 'psf'
    ? { code: '1', meaning: 'no units' }
    : { code: "[arb'U]", meaning: 'arbitrary unit' };
}

/** What was done, in order. */
export function processingHistory(image: ReconImage): string[] {
  const history = ['CONUS'];
  if (image.snrUnits) history.push('NoisePrewhitening');
  if (image.nVirtualCoils < image.nCoils) history.push(`CoilCompression ${image.nCoils} to ${image.nVirtualCoils}`);
  if (image.method === 'grappa') history.push(`GRAPPA ${factors(image)}`);
  if (image.method === 'sense') history.push(`SENSE ${factors(image)}`);
  if (image.method === 'l1') history.push(`CompressedSensing ${factors(image)}`);
  if (image.method === 'zeroFilled') history.push('ZeroFilling');
  history.push('FFT', image.hasPhase ? 'AdaptiveCombine' : 'RootSumOfSquares');
  if (image.partialFourier !== 'none') history.push(`PartialFourier ${partialFourierNames[image.partialFourier]}`);
  history.push(...image.postProcessing.map((step) => postProcessingNames[step]));
  if (image.kind !== 'image') history.push(maps[image.kind].step);
  return history;
}

/** One line for the person who looks at the image. What is not right with it comes first. */
export function imageComments(image: ReconImage, header: MrdHeader | undefined, settings: DeliverySettings): string {
  const parts = [];
  if (isSimulated(header)) parts.push(`${simulatedMark}: a phantom, not a patient`);
  if (image.method === 'zeroFilled') {
    parts.push(`ZEROFILLED: ${image.nMissingLines} lines missing, not for diagnosis`);
  }
  if (image.denoising !== undefined) parts.push(qualityText(image.denoising), denoisingText(image.denoising));
  if (image.geometry === undefined) parts.push('geometry unknown');
  parts.push(methodText(image), `Conus ${settings.softwareVersion}, research software`);
  return parts.join('; ');
}

/** The method with its numbers, as text: for DICOM's DerivationDescription. */
export function derivationText(image: ReconImage, settings: DeliverySettings): string {
  const parameters = Object.entries(settings.parameters).map(([name, value]) => `${name}=${String(value)}`);
  const text = [
    `Conus ${settings.softwareVersion} (research software), chain ${settings.chain}: ${methodText(image)}`,
    `${coilsText(image)}, ${image.snrUnits ? 'SNR units' : 'arbitrary units'}`,
    ...(parameters.length > 0 ? [`parameters ${parameters.join(' ')}`] : []),
  ].join('; ');
  return text;
}

function factors({ accelerationPhase, accelerationSlice }: ReconImage): string {
  return accelerationSlice > 1 ? `R=${accelerationPhase}x${accelerationSlice}` : `R=${accelerationPhase}`;
}

function coilsText({ nCoils, nVirtualCoils }: ReconImage): string {
  return nVirtualCoils < nCoils ? `${nCoils} coils, ${nVirtualCoils} virtual` : `${nCoils} coils`;
}

const postProcessingNames = { hann: 'HannFilter', gaussian: 'GaussianFilter', gibbsRemoval: 'GibbsRemoval', intensityScan: 'IntensityCorrectionScan', intensityEstimate: 'IntensityCorrectionEstimate' } as const;
const partialFourierNames = { zeroFill: 'ZeroFill', homodyne: 'Homodyne', pocs: 'POCS' } as const;

function methodText(image: ReconImage): string {
  const ofCoil = image.coil === undefined ? '' : ` of coil ${image.coil + 1} of ${image.nVirtualCoils}`;
  const content = image.kind === 'image' ? 'image' : `${maps[image.kind].name}${ofCoil}`;
  const completion = image.partialFourier === 'none' ? '' : `, partial Fourier ${partialFourierNames[image.partialFourier]}`;
  const after = image.postProcessing.map((step) => `, ${postProcessingNames[step]}`).join('');
  const combination = `${image.hasPhase ? 'coil maps' : 'root sum of squares'}${completion}${after}`;
  switch (image.method) {
    case 'full':
      return `${content}, fully sampled, ${combination}`;
    case 'grappa':
      return `${content}, GRAPPA ${factors(image)}, ${image.nCalibrationLines} calibration lines, ${combination}`;
    case 'sense':
      return `${content}, SENSE ${factors(image)}, ${image.nCalibrationLines} calibration lines, ${combination}`;
    case 'l1':
      return `${content}, compressed sensing (SENSE, l1 wavelets) ${factors(image)}, ${image.nCalibrationLines} calibration lines, ${combination}`;
    case 'zeroFilled':
      return `${content}, zero-filled, ${combination}`;
  }
}
