/**
 * So that the first scan after a start waits for no compiler: an image is made into messages again and again before any scan
 * can come, while the reconstruction's threads test themselves.
 */
import { encodeImage } from 'ismrmrd';
import type { DenoisingRecord, ReconImage } from '../../recon/index.js';
import { ChainChoice } from '../chain/index.js';
import type { ChoiceOptions } from '../chain/index.js';
import { SeriesBook } from '../delivery/index.js';
import { deliverySettings } from './deliverySettings.js';

/** Few pixels, so that little garbage is left behind. */
const matrix = 128;

/**
 * @param options as those of the sessions that are to come
 * @param forMs how long; once at least
 */
export function warmUpAnswers(options: ChoiceOptions, forMs: number): void {
  const { chain, parameters } = new ChainChoice(options).choose();
  const settings = deliverySettings(chain, parameters, 1);
  const image = someImage();
  const denoised: ReconImage = { ...image, kind: 'denoised', denoising: someRecord };
  const end = performance.now() + forMs;
  do {
    const book = new SeriesBook(undefined, settings);
    for (const one of [image, denoised]) encodeImage(book.message(one));
  } while (performance.now() < end);
}

const someRecord: DenoisingRecord = {
  strengthPercent: 75, noiseSource: 'measured', light: 'green', reasons: [], residualStd: 0.9, edgeCorrelation: 0, largestStructure: 3,
  dataConsistency: false, modelId: 'none', modelVersion: '0.0.0', modelSha256: '',
};

function someImage(): ReconImage {
  return {
    kind: 'image', rows: matrix, columns: matrix, data: Float32Array.from({ length: 2 * matrix * matrix }, (_, i) => 30 * Math.sin(i)),
    hasPhase: true, method: 'grappa', partialFourier: 'none', postProcessing: [],
    counters: { slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: undefined, fovMm: [matrix, matrix, 1], accelerationPhase: 2, accelerationSlice: 1, snrUnits: true,
    nCoils: 16, nVirtualCoils: 16, nCalibrationLines: 24, nMissingLines: 0,
    measurementUid: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0], patientTablePosition: [0, 0, 0],
  };
}
