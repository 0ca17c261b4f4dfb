/** Acquisitions, waveforms and images for tests: arbitrary ones, with every header field in use. */
import fc from 'fast-check';
import { ImageDataType, type Acquisition, type ImageDataTypeName, type MrdImage, type PixelArray, type Vector3, type Waveform } from 'ismrmrd';

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const float = fc.float({ noNaN: true });
const vector: fc.Arbitrary<Vector3> = fc.tuple(float, float, float);
const times = <T>(n: number, item: fc.Arbitrary<T>) => fc.array(item, { minLength: n, maxLength: n });

const floats = (n: number) => times(n, float).map((values) => Float32Array.from(values));

const geometry = {
  position: vector,
  readDir: vector,
  phaseDir: vector,
  sliceDir: vector,
  patientTablePosition: vector,
};
const user = { userInt: times(8, int32), userFloat: times(8, float) };

/** Acquisitions of any small size, with and without trajectories. */
export const acquisitions: fc.Arbitrary<Acquisition> = fc
  .record({
    version: uint16,
    flags: uint64,
    measurementUid: uint32,
    scanCounter: uint32,
    acquisitionTimeStamp: uint32,
    physiologyTimeStamp: times(3, uint32),
    nSamples: fc.nat(5),
    availableChannels: uint16,
    nChannels: fc.nat(3),
    channelMask: times(16, uint64),
    discardPre: uint16,
    discardPost: uint16,
    centerSample: uint16,
    encodingSpaceRef: uint16,
    trajectoryDimensions: fc.nat(3),
    sampleTimeUs: float,
    ...geometry,
    idx: fc.record({
      kspaceEncodeStep1: uint16,
      kspaceEncodeStep2: uint16,
      average: uint16,
      slice: uint16,
      contrast: uint16,
      phase: uint16,
      repetition: uint16,
      set: uint16,
      segment: uint16,
      user: times(8, uint16),
    }),
    ...user,
  })
  .chain((header) =>
    fc.record({
      header: fc.constant(header),
      trajectory: floats(header.nSamples * header.trajectoryDimensions),
      data: floats(2 * header.nSamples * header.nChannels),
    }),
  );

export const waveforms: fc.Arbitrary<Waveform> = fc
  .record({
    version: uint16,
    flags: uint64,
    measurementUid: uint32,
    scanCounter: uint32,
    timeStamp: uint32,
    nSamples: fc.nat(5),
    nChannels: fc.nat(3),
    sampleTimeUs: float,
    waveformId: uint16,
  })
  .chain((header) =>
    fc.record({
      header: fc.constant(header),
      data: times(header.nSamples * header.nChannels, uint32).map((values) => Uint32Array.from(values)),
    }),
  );

const pixelArrays: Record<ImageDataTypeName, (n: number) => fc.Arbitrary<PixelArray>> = {
  uint16: (n) => times(n, uint16).map((values) => Uint16Array.from(values)),
  int16: (n) => times(n, fc.integer({ min: -0x8000, max: 0x7fff })).map((values) => Int16Array.from(values)),
  uint32: (n) => times(n, uint32).map((values) => Uint32Array.from(values)),
  int32: (n) => times(n, int32).map((values) => Int32Array.from(values)),
  float32: floats,
  float64: (n) => times(n, fc.double({ noNaN: true })).map((values) => Float64Array.from(values)),
  complex64: (n) => floats(2 * n),
  complex128: (n) => times(2 * n, fc.double({ noNaN: true })).map((values) => Float64Array.from(values)),
};

export const imageDataTypes = Object.keys(ImageDataType) as ImageDataTypeName[];

/** Images of one type and size, as one series holds them. */
export function imagesOf(dataType: ImageDataTypeName, matrixSize: Vector3, nChannels: number): fc.Arbitrary<MrdImage> {
  const nPixels = nChannels * matrixSize.reduce((product, extent) => product * extent, 1);
  return fc.record({
    header: fc.record({
      version: uint16,
      dataType: fc.constant(dataType),
      flags: uint64,
      measurementUid: uint32,
      matrixSize: fc.constant(matrixSize),
      fovMm: vector,
      nChannels: fc.constant(nChannels),
      ...geometry,
      average: uint16,
      slice: uint16,
      contrast: uint16,
      phase: uint16,
      repetition: uint16,
      set: uint16,
      acquisitionTimeStamp: uint32,
      physiologyTimeStamp: times(3, uint32),
      imageType: uint16,
      imageIndex: uint16,
      imageSeriesIndex: fc.constant(ImageDataType[dataType]),
      ...user,
    }),
    attributes: fc.constantFrom('', '<ismrmrdMeta/>', 'Lendenwirbelsäule 腰椎 𝛼', 'a\nb'),
    data: pixelArrays[dataType](nPixels),
  });
}

/** One acquisition for tests that vary a thing or two. */
export function acquisition(nSamples: number, nChannels: number, change: Partial<Acquisition['header']> = {}): Acquisition {
  const zero: Vector3 = [0, 0, 0];
  const header = {
    version: 1,
    flags: 0n,
    measurementUid: 1,
    scanCounter: 0,
    acquisitionTimeStamp: 0,
    physiologyTimeStamp: [0, 0, 0],
    nSamples,
    availableChannels: nChannels,
    nChannels,
    channelMask: Array.from({ length: 16 }, () => 0n),
    discardPre: 0,
    discardPost: 0,
    centerSample: nSamples >> 1,
    encodingSpaceRef: 0,
    trajectoryDimensions: 0,
    sampleTimeUs: 5,
    position: zero,
    readDir: zero,
    phaseDir: zero,
    sliceDir: zero,
    patientTablePosition: zero,
    idx: {
      kspaceEncodeStep1: 0,
      kspaceEncodeStep2: 0,
      average: 0,
      slice: 0,
      contrast: 0,
      phase: 0,
      repetition: 0,
      set: 0,
      segment: 0,
      user: [0, 0, 0, 0, 0, 0, 0, 0],
    },
    userInt: [0, 0, 0, 0, 0, 0, 0, 0],
    userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
    ...change,
  };
  const data = Float32Array.from({ length: 2 * nSamples * nChannels }, (_, i) => i + header.scanCounter / 8);
  return { header, trajectory: new Float32Array(nSamples * header.trajectoryDimensions), data };
}

/** One image of zeros, likewise. */
export function image(dataType: ImageDataTypeName, matrixSize: Vector3, change: Partial<MrdImage['header']> = {}): MrdImage {
  const [found] = fc.sample(imagesOf(dataType, matrixSize, 1), { numRuns: 1, seed: 1 });
  return { ...found!, header: { ...found!.header, ...change } };
}
