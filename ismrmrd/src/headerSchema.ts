/**
 * The MRD header, element by element, in the order of the ISMRMRD schema (ismrmrd.xsd version 2, as
 * of ismrmrd 1.15). Each zod type is a codec between an element's text and its value, so that one
 * table reads, checks, types and writes the header. Names are the schema's own.
 */
import { z } from 'zod';
import type { XmlElement } from './xml.js';

/**
 * An element with children. Children that the schema does not know are kept in `unknown` and written
 * back at the end of their parent.
 */
function element<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ ...shape, unknown: z.array(z.custom<XmlElement>()).optional() });
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A finite number within [min, max]; an element without text takes the schema's default, where it has one. */
function number(what: string, accepts: (value: number) => boolean, whenEmpty?: number) {
  return z.codec(z.string(), z.number().refine(accepts, { error: what }), {
    decode: (text, context) => {
      const trimmed = text.trim();
      if (trimmed === '' && whenEmpty !== undefined) return whenEmpty;
      if (decimal.test(trimmed)) return Number(trimmed);
      context.issues.push({ code: 'custom', message: what, input: text });
      return z.NEVER;
    },
    encode: String,
  });
}

const isUint16 = (value: number) => Number.isInteger(value) && value >= 0 && value <= 0xffff;
const unsignedShort = (whenEmpty?: number) => number('a whole number from 0 to 65535', isUint16, whenEmpty);
const uint16 = unsignedShort();
/** xs:long as far as a JavaScript number holds it exactly. */
const long = number('a whole number of at most 2^53 - 1', Number.isSafeInteger);
const float = number('a finite number', Number.isFinite);

const string = z.string();

function oneOf<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.codec(z.string(), z.enum(values), {
    decode: (text) => text.trim() as Values[number],
    encode: (value) => value,
  });
}

const userParameterLong = element({ name: string, value: long });
const userParameterDouble = element({ name: string, value: float });
const userParameterString = element({ name: string, value: string });

const userParameters = element({
  userParameterLong: z.array(userParameterLong),
  userParameterDouble: z.array(userParameterDouble),
  userParameterString: z.array(userParameterString),
  /** `value` is the base64 text itself. */
  userParameterBase64: z.array(userParameterString),
});

const subjectInformation = element({
  patientName: string.optional(),
  patientWeight_kg: float.optional(),
  patientHeight_m: float.optional(),
  patientID: string.optional(),
  /** YYYY-MM-DD */
  patientBirthdate: string.optional(),
  /** M, F or O; whatever the sender wrote is kept. */
  patientGender: string.optional(),
});

const studyInformation = element({
  /** YYYY-MM-DD */
  studyDate: string.optional(),
  /** hh:mm:ss */
  studyTime: string.optional(),
  studyID: string.optional(),
  /** A number in the schema, an identifier in life: kept as text, so that every digit survives. */
  accessionNumber: string.optional(),
  referringPhysicianName: string.optional(),
  studyDescription: string.optional(),
  studyInstanceUID: string.optional(),
  bodyPartExamined: string.optional(),
});

const xyzMm = element({ x: float, y: float, z: float });

const measurementInformation = element({
  measurementID: string.optional(),
  seriesDate: string.optional(),
  seriesTime: string.optional(),
  /** HFS, HFP, HFDR, HFDL, FFS, FFP, FFDR or FFDL; whatever the sender wrote is kept. */
  patientPosition: string,
  relativeTablePosition: xyzMm.optional(),
  initialSeriesNumber: long.optional(),
  protocolName: string.optional(),
  sequenceName: string.optional(),
  seriesDescription: string.optional(),
  measurementDependency: z.array(element({ dependencyType: string, measurementID: string })),
  seriesInstanceUIDRoot: string.optional(),
  frameOfReferenceUID: string.optional(),
  referencedImageSequence: element({ referencedSOPInstanceUID: z.array(string) }).optional(),
});

const acquisitionSystemInformation = element({
  systemVendor: string.optional(),
  systemModel: string.optional(),
  systemFieldStrength_T: float.optional(),
  /** Noise bandwidth of the receiver over its sampling bandwidth. */
  relativeReceiverNoiseBandwidth: float.optional(),
  receiverChannels: uint16.optional(),
  coilLabel: z.array(element({ coilNumber: uint16, coilName: string })),
  institutionName: string.optional(),
  stationName: string.optional(),
  deviceID: string.optional(),
  deviceSerialNumber: string.optional(),
});

const encodingSpace = element({
  /** x: readout, with its oversampling in the encoded space; y: phase encoding; z: partitions. */
  matrixSize: element({ x: unsignedShort(1), y: unsignedShort(1), z: unsignedShort(1) }),
  fieldOfView_mm: xyzMm,
});

const limit = element({ minimum: unsignedShort(0), maximum: unsignedShort(0), center: unsignedShort(0) }).optional();

const encodingLimits = element({
  kspace_encoding_step_0: limit,
  kspace_encoding_step_1: limit,
  kspace_encoding_step_2: limit,
  average: limit,
  slice: limit,
  contrast: limit,
  phase: limit,
  repetition: limit,
  set: limit,
  segment: limit,
  user_0: limit,
  user_1: limit,
  user_2: limit,
  user_3: limit,
  user_4: limit,
  user_5: limit,
  user_6: limit,
  user_7: limit,
});

const encoding = element({
  encodedSpace: encodingSpace,
  reconSpace: encodingSpace,
  encodingLimits,
  trajectory: oneOf('cartesian', 'epi', 'radial', 'goldenangle', 'spiral', 'other'),
  trajectoryDescription: element({
    identifier: string,
    userParameterLong: z.array(userParameterLong),
    userParameterDouble: z.array(userParameterDouble),
    userParameterString: z.array(userParameterString),
    comment: string.optional(),
  }).optional(),
  parallelImaging: element({
    accelerationFactor: element({ kspace_encoding_step_1: uint16, kspace_encoding_step_2: uint16 }),
    calibrationMode: oneOf('embedded', 'interleaved', 'separate', 'external', 'other').optional(),
    interleavingDimension: oneOf('phase', 'repetition', 'contrast', 'average', 'other').optional(),
    multiband: element({
      /** Slice positions of each excitation, mm. */
      spacing: z.array(element({ dZ: z.array(float) })),
      deltaKz: float,
      multiband_factor: long,
      /** 'separable2D' is also met in the misspelling of earlier schemas. */
      calibration: oneOf('separable2D', 'seperable2D', 'full3D', 'other'),
      calibration_encoding: long,
    }).optional(),
  }).optional(),
  echoTrainLength: long.optional(),
});

const userCounters = ['user_0', 'user_1', 'user_2', 'user_3', 'user_4', 'user_5', 'user_6', 'user_7'] as const;

const sequenceParameters = element({
  /** ms */
  TR: z.array(float),
  /** ms */
  TE: z.array(float),
  /** ms */
  TI: z.array(float),
  flipAngle_deg: z.array(float),
  sequence_type: string.optional(),
  /** ms */
  echo_spacing: z.array(float),
  /** The counter that numbers the diffusion weightings. */
  diffusionDimension: oneOf(
    'average',
    'contrast',
    'phase',
    'repetition',
    'set',
    'segment',
    ...userCounters,
  ).optional(),
  /** bvalue in s/mm² */
  diffusion: z.array(element({ gradientDirection: element({ rl: float, ap: float, fh: float }), bvalue: float })),
  diffusionScheme: string.optional(),
});

export const headerSchema = element({
  /** Any or none is accepted. */
  version: long.optional(),
  subjectInformation: subjectInformation.optional(),
  studyInformation: studyInformation.optional(),
  measurementInformation: measurementInformation.optional(),
  acquisitionSystemInformation: acquisitionSystemInformation.optional(),
  experimentalConditions: element({ H1resonanceFrequency_Hz: long }),
  /** At least one in the schema; a header without any is read as an empty list. */
  encoding: z.array(encoding),
  sequenceParameters: sequenceParameters.optional(),
  userParameters: userParameters.optional(),
  waveformInformation: z.array(
    element({
      waveformName: string,
      waveformType: oneOf('ecg', 'pulse', 'respiratory', 'trigger', 'gradientwaveform', 'other'),
      userParameters,
    }),
  ),
});

/** An MRD header. Repeated elements are always lists, and an absent optional element is undefined. */
export type MrdHeader = z.output<typeof headerSchema>;
/** One `encoding` of a header. */
export type MrdEncoding = MrdHeader['encoding'][number];
/** minimum, maximum and center of one encoding counter. */
export type MrdLimit = NonNullable<MrdEncoding['encodingLimits']['slice']>;
