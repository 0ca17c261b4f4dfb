/**
 * Errors and remarks of this folder. Same fields as every coded error of the house (code, got,
 * expected, action), declared here because protocols/ knows nobody.
 */
export const PROTOCOL_ERRORS = {
  PROTOCOL_ERR_KEY: {
    expected: 'keys that the protocol schema has',
    action: 'check the spelling; docs/protocols.md lists every key',
  },
  PROTOCOL_ERR_VALUE: {
    expected: 'a value of the type and range that the key has',
    action: 'correct the value; docs/protocols.md lists every key',
  },
  PROTOCOL_ERR_REFERENCE: {
    expected: 'ids that differ from each other, and references to series of the same protocol',
    action: 'correct the id, or add the series',
  },
  PROTOCOL_ERR_ECHO: {
    expected: 'echo times at which there are echoes, and readouts that fit between them',
    action: 'choose teMs as a multiple of echoSpacingMs within the train, ascending echo times, or a higher bandwidthHzPerPixel',
  },
  PROTOCOL_ERR_LINES: {
    expected: 'lines that R, the calibration lines and the partial Fourier fraction can be taken from',
    action: 'change acceleration, calibrationLines or partialFourier',
  },
  PROTOCOL_ERR_GEOMETRY: {
    expected: 'a readout within the plane, a tilt about at most two axes, and disc levels with axial slices only',
    action: 'correct the geometry of the series',
  },
  PROTOCOL_ERR_TIMING: {
    expected: 'echo trains of all slices of a concatenation within one repetition time',
    action: 'lengthen trMs, raise or leave out concatenations, or shorten the train',
  },
  PROTOCOL_ERR_SYNTHESIS: {
    expected: 'syntheses from one series of role t1w and one of role t2w, whose train and inversion time fit into TR',
    action: 'correct fromSeries, or trMs, tiMs, echoTrainLength and echoSpacingMs of the synthesis',
  },
  PROTOCOL_ERR_INVERSION_TIME: {
    expected: 'an inversion time in ms where a time is computed from it',
    action: 'resolve "auto" first: resolveInversionTimes(protocol, nullingTimeMs)',
  },
} as const;

export const PROTOCOL_WARNINGS = {
  PROTOCOL_WARN_NO_CALIBRATION: {
    expected: 'calibration lines where lines are left out',
    action: 'ask for embedded or separate calibration; without it the missing lines stay zero',
  },
  PROTOCOL_WARN_CALIBRATION_LINES: {
    expected: 'at least 16 calibration lines',
    action: 'acquire more of them: kernels from fewer lines leave aliasing and noise',
  },
  PROTOCOL_WARN_RF: {
    expected: 'radio-frequency power below the B1+rms that IEC 60601-2-33 lets pass without a model of the patient',
    action: 'lower refocusingAngleDeg, lengthen trMs or take fewer slices; the SAR monitor of the scanner decides',
  },
  PROTOCOL_WARN_RECOGNITION: {
    expected: 'recognition rules that hold for their own series and for no other',
    action: 'narrow or correct the recognise rules of the named series',
  },
  PROTOCOL_WARN_UNUSED_REPETITION_TIME: {
    expected: 'slices that fill at least half of the repetition time',
    action: 'shorten trMs, or take fewer concatenations',
  },
} as const;

export type ProtocolErrorCode = keyof typeof PROTOCOL_ERRORS;
export type ProtocolWarningCode = keyof typeof PROTOCOL_WARNINGS;

/** One thing that is wrong with a protocol, or worth a word. */
export interface ProtocolFinding<Code extends string = ProtocolErrorCode | ProtocolWarningCode> {
  readonly code: Code;
  /** Where: keys and indices, as `series.0.sequence.trMs`; empty for the whole protocol. */
  readonly path: string;
  readonly got: string;
  readonly expected: string;
  readonly action: string;
}

export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;
  readonly got: string;
  readonly expected: string;
  readonly action: string;

  constructor(code: ProtocolErrorCode, got: string) {
    const { expected, action } = PROTOCOL_ERRORS[code];
    super(`${code}: got ${got}; expected ${expected}; ${action}`);
    this.name = 'ProtocolError';
    this.code = code;
    this.got = got;
    this.expected = expected;
    this.action = action;
  }
}
