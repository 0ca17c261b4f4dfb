import { errorsOf, type ErrorTable } from 'ismrmrd';

/** Why nothing is synthesised. The acquired series are delivered all the same. */
export const SYNTH_ERRORS = {
  SYNTH_ERR_SERIES_MISSING: {
    expected: 'one T1w and one T2w series of the same anatomy',
    action: 'scan or name both; the protocol says which series they are',
  },
  SYNTH_ERR_PATIENTS: {
    expected: 'series of one patient',
    action: 'check PatientID and names of both series',
  },
  SYNTH_ERR_CONTRAST: {
    expected: 'T1 weighting (short TR, short TE, dark fluid) in the place of T1w, T2 weighting (long TR, long TE, bright fluid) in the place of T2w, at 1.5 or 3 T',
    action: 'check that the series were not exchanged, and TR and TE of their headers',
  },
  SYNTH_ERR_GRADIENT_ECHO: {
    expected: 'spin echoes or fast spin echoes without preparation',
    action: 'acquire both series with (fast) spin echoes: gradient echoes follow other signal equations',
  },
  SYNTH_ERR_SEQUENCE: {
    expected: 'TR, TE, echo spacing and echo train length above zero, with a train that fits into TR',
    action: 'check the sequence parameters of the header, or give them by hand',
  },
  SYNTH_ERR_NO_OVERLAP: {
    expected: 'two series that cover the same part of the body',
    action: 'check positions and orientations of both series; acquire them in one position',
  },
  SYNTH_ERR_ORIENTATION: {
    expected: 'series whose slices lie in one plane, within 30 degrees',
    action: 'choose series of one orientation, sagittal with sagittal, axial with axial',
  },
  SYNTH_ERR_MOTION: {
    expected: 'at most 20 mm and 15 degrees of motion between the series',
    action: 'check that both series are of one examination; repeat one of them in the same position',
  },
  SYNTH_ERR_REGISTRATION: {
    expected: 'two series that a rigid motion brings onto each other',
    action: 'look at both series for motion between and within them; repeat the one that is worse',
  },
  SYNTH_ERR_GEOMETRY: {
    expected: 'volumes with as many values as their geometry has voxels, with a known position, in pixels of 0.25 to 2.5 mm',
    action: 'check matrix, field of view and directions of the series',
  },
  SYNTH_ERR_NOT_FINITE: {
    expected: 'finite values',
    action: 'check the reconstruction of the series',
  },
  SYNTH_ERR_TOO_SMALL: {
    expected: 'at least 48 x 48 pixels, of which a twentieth or more show tissue in both series',
    action: 'give whole slices; check that the series are not empty',
  },
  SYNTH_ERR_WANTED: {
    expected: 'contrasts that the signal equations have, with an inversion time that fits into TR',
    action: 'correct what the protocol wants synthesised',
  },
  SYNTH_ERR_NETWORK: {
    expected: 'a network that gives, of the size of its images, four maps and eight deviations, or Hounsfield units and how sure they are',
    action: 'export the model anew; its manifest says what it must give',
  },
  SYNTH_ERR_CT_INPUT: {
    expected: 'sagittal or axial slices, the planes that the network for synthetic CT was made for',
    action: 'choose a sagittal or an axial pair for the synthetic CT; other contrasts are computed of this pair all the same',
  },
  SYNTH_ERR_CALIBRATION: {
    expected: 'a calibration.json beside the model, as models/training/synthesis writes it',
    action: 'copy the whole folder of the model again',
  },
} as const satisfies ErrorTable;

export type SynthesisErrorCode = keyof typeof SYNTH_ERRORS;

export const synthesisError = errorsOf(SYNTH_ERRORS);

/** Why a synthesised series is not green. */
export const SYNTH_WARNINGS = {
  SYNTH_WARN_PAIR: {
    expected: 'T1w and T2w that tissue can explain together',
    action: 'look at both acquired series at the place that is named: artefacts, motion, exchanged series, wrong TR or TE',
  },
  SYNTH_WARN_ECHO_TIME: {
    expected: 'a T2w whose tissues are as bright as at the echo time that it states',
    action: 'compare the echo time of T2w with what was scanned: of a series with several echoes, the effective one',
  },
  SYNTH_WARN_CANNOT_TELL: {
    expected: 'T1w and T2w that tell what the missing contrast must be',
    action: 'do not rely on the synthetic contrast there; acquire it where it matters',
  },
  SYNTH_WARN_MISREGISTERED: {
    expected: 'less than one pixel between T1w and T2w after registration',
    action: 'look at edges of the synthetic images with care; repeat the series that moved',
  },
  SYNTH_WARN_TI: {
    expected: 'an inversion time within 20 ms of the null of fat',
    action: 'set the inversion time to auto; fat is not dark at this one',
  },
  SYNTH_WARN_GAIN: {
    expected: 'both series in one unit of signal, as when Conus reconstructed them',
    action: 'nothing: the network estimates the relative scale of T1w and T2w from the images',
  },
  SYNTH_WARN_SEQUENCE: {
    expected: 'TR and TE near those that the network was trained for: T1w 320 to 1060 and 5.5 to 19 ms, T2w 2000 to 7500 and 60 to 156 ms',
    action: 'look at the synthetic images with care',
  },
  SYNTH_WARN_CT_PLANES: {
    expected: 'slices no further apart than 1.5 pixels',
    action: 'measure on synthetic CT within the acquired planes only: in others, edges come from interpolation',
  },
  SYNTH_WARN_NOT_DELIVERED: {
    expected: 'a pair that may be trusted',
    action: 'acquire the missing contrast, or let the protocol deliver what is red',
  },
} as const satisfies ErrorTable;

export type SynthesisWarningCode = keyof typeof SYNTH_WARNINGS;
