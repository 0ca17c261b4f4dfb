/** Acquisition flags by name. Flag number n is bit n-1 of the header's flags. */
export const AcquisitionFlag = {
  firstInEncodeStep1: 1,
  lastInEncodeStep1: 2,
  firstInEncodeStep2: 3,
  lastInEncodeStep2: 4,
  firstInAverage: 5,
  lastInAverage: 6,
  firstInSlice: 7,
  lastInSlice: 8,
  firstInContrast: 9,
  lastInContrast: 10,
  firstInPhase: 11,
  lastInPhase: 12,
  firstInRepetition: 13,
  lastInRepetition: 14,
  firstInSet: 15,
  lastInSet: 16,
  firstInSegment: 17,
  lastInSegment: 18,
  noiseMeasurement: 19,
  parallelCalibration: 20,
  parallelCalibrationAndImaging: 21,
  reverse: 22,
  navigation: 23,
  phaseCorrection: 24,
  lastInMeasurement: 25,
  hpFeedback: 26,
  dummyScan: 27,
  rtFeedback: 28,
  surfaceCoilCorrection: 29,
  phaseStabilizationReference: 30,
  phaseStabilization: 31,
  compressionZfp: 53,
  compressionNhlbi: 54,
  compression3: 55,
  compression4: 56,
  user1: 57,
  user2: 58,
  user3: 59,
  user4: 60,
  user5: 61,
  user6: 62,
  user7: 63,
  user8: 64,
} as const;
export type AcquisitionFlagName = keyof typeof AcquisitionFlag;

const maskOf = Object.fromEntries(
  Object.entries(AcquisitionFlag).map(([name, number]) => [name, 1n << BigInt(number - 1)]),
) as Record<AcquisitionFlagName, bigint>;

export function hasFlag(flags: bigint, name: AcquisitionFlagName): boolean {
  return (flags & maskOf[name]) !== 0n;
}

/** The flag word with exactly these flags set. */
export function flagsOf(...names: readonly AcquisitionFlagName[]): bigint {
  return names.reduce((flags, name) => flags | maskOf[name], 0n);
}

/** The names of the flags that are set, in order of their numbers. */
export function flagNames(flags: bigint): AcquisitionFlagName[] {
  return (Object.keys(AcquisitionFlag) as AcquisitionFlagName[]).filter((name) => hasFlag(flags, name));
}
