/** What reconstruction remarks without failing: one table, documented with the errors. */
import type { ErrorTable } from 'ismrmrd';
import type { ReconNotice } from './types.js';

/** `expected`: what holds when this is not said; `action`: what the reader can do. */
export const RECON_NOTICES = {
  RECON_INFO_NOISE: {
    expected: 'nothing: a report of the noise measurement',
    action: 'compare the coils with each other and with the last report',
  },
  RECON_INFO_NOISE_ESTIMATE: {
    expected: 'nothing: the noise that noise and SNR maps without a noise measurement are made with',
    action: 'send noise readouts (flag 19) to have it measured',
  },
  RECON_WARN_OTHER_ENCODING: {
    expected: 'readouts of the first encoding',
    action: 'send the other encodings as sessions of their own',
  },
  RECON_INFO_STORED_NOISE: {
    expected: 'nothing: the noise measurement of another scan was used',
    action: 'send noise readouts (flag 19) with the scan to have its own',
  },
  RECON_WARN_NO_NOISE_SCAN: {
    expected: 'noise readouts (flag 19) before the first imaging readout',
    action: 'add a noise measurement, else pixel values are not in SNR units',
  },
  RECON_WARN_NOISE: {
    expected: 'at least 10,000 noise samples a coil and coils of like noise',
    action: 'lengthen the noise measurement, check the coil that is named: one whose noise is far off is left out',
  },
  RECON_WARN_LATE_NOISE: {
    expected: 'noise readouts before the first imaging readout',
    action: 'send the noise measurement first; this one was left out',
  },
  RECON_WARN_NO_CALIBRATION: {
    expected: 'calibration lines (flag 20 or 21) for an accelerated scan',
    action: 'send calibration lines; the images are zero-filled and show aliasing',
  },
  RECON_WARN_NO_COIL_MAPS: {
    expected: 'enough central lines to estimate coil maps',
    action: 'none needed; coils were combined by root-sum-of-squares',
  },
  RECON_WARN_BORROWED_CALIBRATION: {
    expected: 'calibration lines with each accelerated image',
    action: 'check that nothing moved between the images; the last calibration of the same slice was used',
  },
  RECON_WARN_CALIBRATION_OFF_CENTRE: {
    expected: 'calibration lines about the k-space centre',
    action: 'check the line counters; the middle of the calibration lines was taken as the centre',
  },
  RECON_WARN_MISSING_LINES: {
    expected: 'every line that the header implies',
    action: 'check the scan for a stop or a lost connection; the missing lines are zero',
  },
  RECON_WARN_LATE_LINE: {
    expected: 'no line of an image after it was delivered',
    action: 'none needed where the image is delivered again; set LAST_IN_SLICE on the last readout',
  },
  RECON_WARN_UNUSED_READOUTS: {
    expected: 'readouts that a Cartesian image is made of',
    action: 'none needed; navigators, dummies and others that are no line of an image were left out',
  },
  RECON_WARN_GHOST: {
    expected: 'phase-correction readouts (flag 23) in both directions before each echo-planar train',
    action: 'send them; the images show a ghost half a field of view away',
  },
  RECON_WARN_NO_GEOMETRY: {
    expected: 'unit vectors for read, phase and slice direction',
    action: 'do not use these images for localisation: position and orientation are unknown',
  },
  RECON_WARN_CENTRE_SAMPLE: {
    expected: 'the index of the echo in center_sample',
    action: 'check the converter; the middle of the readout was taken',
  },
  RECON_WARN_COIL_COUNT: {
    expected: 'the number of channels that the header announces',
    action: 'check the converter; the readouts have the last word',
  },
  RECON_INFO_COIL_COMPRESSION: {
    expected: 'nothing: a report of how many virtual coils hold how much of the signal',
    action: 'set coilCompression or coilCompressionEnergy to have it otherwise',
  },
  RECON_WARN_COIL_COMPRESSION: {
    expected: 'the number of virtual coils that the first slice needs to be enough for every slice',
    action: 'set coilCompression to a larger number, or to off',
  },
  RECON_INFO_PARTIAL_FOURIER: {
    expected: 'nothing: a report of how the part of k-space that was not sampled was dealt with',
    action: 'set partialFourier to have it otherwise',
  },
  RECON_WARN_PARTIAL_FOURIER: {
    expected: 'coil maps, whose images have the phase that conjugate symmetry needs',
    action: 'use combine=auto; root-sum-of-squares images are zero-filled',
  },
  RECON_WARN_NOT_FILTERED: {
    expected: 'images with coil maps for filters; k-space that reaches the edge of the image matrix for the removal of Gibbs ringing',
    action: 'use combine=auto; leave gibbsRemoval off where the image is interpolated or zero-filled',
  },
  RECON_INFO_INTENSITY: {
    expected: 'nothing: a report of how the intensity was evened out',
    action: 'set intensityCorrection to have it otherwise',
  },
  RECON_WARN_INTENSITY: {
    expected: 'surface-coil reference lines (flag 29) about the k-space centre, of the array (set 0) and of the body coil (set 1), for intensityCorrection=scan',
    action: 'send them before the imaging lines, or use intensityCorrection=auto',
  },
  RECON_WARN_KSPACE_CENTRE: {
    expected: 'the most energy where the header and the readouts have the k-space centre, in one place (Siemens: also idx.user[5] and [6])',
    action: 'check encodingLimits, center_sample and the converter; the header was followed',
  },
  RECON_INFO_MAP_SETS: {
    expected: 'nothing: a report of a field of view that is smaller than the object, by the eigenvalues of its calibration lines or as asked for',
    action: 'enlarge the field of view or the phase oversampling; set espiritSets to have it otherwise',
  },
  RECON_WARN_NO_MAPS: {
    expected: 'coil maps, of which g-factor, noise, SNR and point-spread maps are computed, and room in memory',
    action: 'use combine=auto and send calibration lines; allow the session more memory where the message says so',
  },
  RECON_INFO_DENOISING: {
    expected: 'nothing: a report of how images are denoised',
    action: 'set denoise, denoiseDataConsistency and residualMap to have it otherwise',
  },
  RECON_WARN_NOT_DENOISED: {
    expected: 'complete images with coil maps, whose noise is known pixel by pixel, and a denoiser that is ready',
    action: 'use the conventional series, which is complete; combine=auto and unalias=auto give images that can be denoised',
  },
  RECON_WARN_DENOISE_INPUT: {
    expected: 'an MR image whose noise is what its noise map says',
    action: 'use the conventional series; check the noise measurement and the image that is named',
  },
  RECON_WARN_DENOISER_FAILED: {
    expected: 'an answer of the denoiser for each image',
    action: 'use the conventional series, which is complete; see the code of the denoiser in the message',
  },
  RECON_WARN_DATA_CONSISTENCY: {
    expected: 'a 2D image on the lines that were encoded, and room in memory to keep them until it is denoised',
    action: 'none needed: the images were denoised without putting the measured lines back',
  },
} as const satisfies ErrorTable;

export type ReconNoticeCode = keyof typeof RECON_NOTICES;

export function reconNotice(code: ReconNoticeCode, message: string): ReconNotice {
  return { severity: code.startsWith('RECON_INFO') ? 'info' : 'warning', code, message };
}
