/** Headers for tests: a small one by hand, and arbitrary ones within the ISMRMRD 1.8 schema. */
import fc from 'fast-check';
import type { MrdHeader } from 'ismrmrd';

export function smallHeader(): MrdHeader {
  const space = { matrixSize: { x: 64, y: 32, z: 1 }, fieldOfView_mm: { x: 300, y: 150.5, z: 6 } };
  return {
    experimentalConditions: { H1resonanceFrequency_Hz: 63_500_000 },
    encoding: [{ encodedSpace: space, reconSpace: space, encodingLimits: {}, trajectory: 'cartesian' }],
    waveformInformation: [],
  };
}

/** Text that XML can hold; fast-check leans towards entities, white space and characters beyond ASCII. */
export const xmlText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', ' ', ' a ', 'a\tb', 'a\nb', 'a\rb', '&amp;', ']]>', '<a/>', '"', 'Lendenwirbelsäule', '腰椎', '𝛼'),
).map((text) => text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?'));

const uint16 = fc.integer({ min: 0, max: 0xffff });
const long = fc.maxSafeInteger().map((value) => value + 0);
// The sign of a zero is not kept: '0' is what it is written as.
const float = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const date = fc.date({ min: new Date('1900-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
const day = date.map((value) => value.toISOString().slice(0, 10));
const time = date.map((value) => value.toISOString().slice(11, 19));
const list = <T>(item: fc.Arbitrary<T>) => fc.array(item, { maxLength: 3 });

/** An object some of whose optional fields are absent. */
function optional<T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) {
  return fc.record(model, { requiredKeys: [] });
}

const parameter = <T>(value: fc.Arbitrary<T>) => list(fc.record({ name: xmlText, value }));
const userParameters = fc.record({
  userParameterLong: parameter(long),
  userParameterDouble: parameter(float),
  userParameterString: parameter(xmlText),
  userParameterBase64: parameter(fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes).toString('base64'))),
});
const xyz = fc.record({ x: float, y: float, z: float });
const space = fc.record({ matrixSize: fc.record({ x: uint16, y: uint16, z: uint16 }), fieldOfView_mm: xyz });
const limit = fc.record({ minimum: uint16, maximum: uint16, center: uint16 });

const encoding = fc
  .record({
    encodedSpace: space,
    reconSpace: space,
    encodingLimits: optional({
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
    }),
    trajectory: fc.constantFrom('cartesian', 'epi', 'radial', 'goldenangle', 'spiral', 'other'),
    optional: optional({
      trajectoryDescription: fc
        .record({
          identifier: xmlText,
          userParameterLong: parameter(long),
          userParameterDouble: parameter(float),
          optional: optional({ comment: xmlText }),
        })
        .map(({ optional: more, ...rest }) => ({ ...rest, userParameterString: [], ...more })),
      parallelImaging: fc
        .record({
          accelerationFactor: fc.record({ kspace_encoding_step_1: uint16, kspace_encoding_step_2: uint16 }),
          optional: optional({
            calibrationMode: fc.constantFrom('embedded', 'interleaved', 'separate', 'external', 'other'),
            interleavingDimension: fc.constantFrom('phase', 'repetition', 'contrast', 'average', 'other'),
          }),
        })
        .map(({ optional: more, ...rest }) => ({ ...rest, ...more })),
      echoTrainLength: long,
    }),
  })
  .map(({ optional: more, ...rest }) => ({ ...rest, ...more }));

export const headers: fc.Arbitrary<MrdHeader> = fc
  .record({
    experimentalConditions: fc.record({ H1resonanceFrequency_Hz: long }),
    encoding: fc.array(encoding, { minLength: 1, maxLength: 3 }),
    waveformInformation: list(
      fc.record({
        waveformName: xmlText,
        waveformType: fc.constantFrom('ecg', 'pulse', 'respiratory', 'trigger', 'gradientwaveform', 'other'),
        userParameters,
      }),
    ),
    optional: optional({
      version: long,
      subjectInformation: optional({
        patientName: xmlText,
        patientWeight_kg: float,
        patientID: xmlText,
        patientBirthdate: day,
        patientGender: fc.constantFrom('M', 'F', 'O'),
      }),
      studyInformation: optional({
        studyDate: day,
        studyTime: time,
        studyID: xmlText,
        accessionNumber: long.map(String),
        referringPhysicianName: xmlText,
        studyDescription: xmlText,
        studyInstanceUID: xmlText,
      }),
      measurementInformation: fc
        .record({
          patientPosition: fc.constantFrom('HFP', 'HFS', 'HFDR', 'HFDL', 'FFP', 'FFS', 'FFDR', 'FFDL'),
          measurementDependency: list(fc.record({ dependencyType: xmlText, measurementID: xmlText })),
          optional: optional({
            measurementID: xmlText,
            seriesDate: day,
            seriesTime: time,
            relativeTablePosition: xyz,
            initialSeriesNumber: long,
            protocolName: xmlText,
            seriesDescription: xmlText,
            seriesInstanceUIDRoot: xmlText,
            frameOfReferenceUID: xmlText,
            referencedImageSequence: fc.record({ referencedSOPInstanceUID: list(xmlText) }),
          }),
        })
        .map(({ optional: more, ...rest }) => ({ ...rest, ...more })),
      acquisitionSystemInformation: fc
        .record({
          coilLabel: list(fc.record({ coilNumber: uint16, coilName: xmlText })),
          optional: optional({
            systemVendor: xmlText,
            systemModel: xmlText,
            systemFieldStrength_T: float,
            relativeReceiverNoiseBandwidth: float,
            receiverChannels: uint16,
            institutionName: xmlText,
            stationName: xmlText,
            deviceID: xmlText,
          }),
        })
        .map(({ optional: more, ...rest }) => ({ ...rest, ...more })),
      sequenceParameters: fc
        .record({
          TR: list(float),
          TE: list(float),
          TI: list(float),
          flipAngle_deg: list(float),
          echo_spacing: list(float),
          optional: optional({ sequence_type: xmlText }),
        })
        .map(({ optional: more, ...rest }) => ({ ...rest, diffusion: [], ...more })),
      userParameters,
    }),
  })
  .map(({ optional: more, ...rest }) => ({ ...rest, ...more }));
