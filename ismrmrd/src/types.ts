/**
 * What travels in an MRD stream. Field names follow the ISMRMRD standard, written out and in camel
 * case; the byte layout of each is in the codec that reads and writes it.
 */

/** LPS, as in DICOM: x to the patient's left, y to posterior, z to the head. */
export type Vector3 = readonly [number, number, number];

/** The loop counters of an acquisition. */
export interface EncodingCounters {
  readonly kspaceEncodeStep1: number;
  readonly kspaceEncodeStep2: number;
  readonly average: number;
  readonly slice: number;
  readonly contrast: number;
  readonly phase: number;
  readonly repetition: number;
  readonly set: number;
  readonly segment: number;
  /** Eight counters that vendors use freely (Siemens: user[5] is the k-space centre line). */
  readonly user: readonly number[];
}

/** The 340 bytes before an acquisition's trajectory and samples. */
export interface AcquisitionHeader {
  readonly version: number;
  /** Bit n-1 is flag number n; see AcquisitionFlag and hasFlag. */
  readonly flags: bigint;
  readonly measurementUid: number;
  readonly scanCounter: number;
  /** Ticks whose length the vendor chooses (Siemens: 2.5 ms). */
  readonly acquisitionTimeStamp: number;
  readonly physiologyTimeStamp: readonly number[];
  readonly nSamples: number;
  readonly availableChannels: number;
  /** Channels in this acquisition ("active_channels"). */
  readonly nChannels: number;
  /** 16 words of 64 bits: bit c of the whole is set when channel c is on. */
  readonly channelMask: readonly bigint[];
  readonly discardPre: number;
  readonly discardPost: number;
  /** Index of the sample at the k-space centre. */
  readonly centerSample: number;
  readonly encodingSpaceRef: number;
  /** Numbers a sample in the trajectory; 0 for Cartesian data without one. */
  readonly trajectoryDimensions: number;
  /** Dwell time. */
  readonly sampleTimeUs: number;
  /** Centre of the excited volume, mm, LPS. */
  readonly position: Vector3;
  readonly readDir: Vector3;
  readonly phaseDir: Vector3;
  readonly sliceDir: Vector3;
  readonly patientTablePosition: Vector3;
  readonly idx: EncodingCounters;
  readonly userInt: readonly number[];
  readonly userFloat: readonly number[];
}

export interface Acquisition {
  readonly header: AcquisitionHeader;
  /** [nSamples, trajectoryDimensions]; empty where there is none. */
  readonly trajectory: Float32Array;
  /** complex64 interleaved, [nChannels, nSamples] */
  readonly data: Float32Array;
}

/** Pixel types on the wire, by their MRD number. */
export const ImageDataType = {
  uint16: 1,
  int16: 2,
  uint32: 3,
  int32: 4,
  float32: 5,
  float64: 6,
  complex64: 7,
  complex128: 8,
} as const;
export type ImageDataTypeName = keyof typeof ImageDataType;

export const ImageType = {
  magnitude: 1,
  phase: 2,
  real: 3,
  imaginary: 4,
  complex: 5,
  rgb: 6,
} as const;
export type ImageTypeName = keyof typeof ImageType;

/** The 198 bytes before an image's attributes and pixels. */
export interface ImageHeader {
  readonly version: number;
  readonly dataType: ImageDataTypeName;
  readonly flags: bigint;
  readonly measurementUid: number;
  /** [x, y, z]: x is the readout direction (columns), y the phase direction (rows). */
  readonly matrixSize: Vector3;
  readonly fovMm: Vector3;
  readonly nChannels: number;
  /** Centre of the imaged volume, mm, LPS. */
  readonly position: Vector3;
  readonly readDir: Vector3;
  readonly phaseDir: Vector3;
  readonly sliceDir: Vector3;
  readonly patientTablePosition: Vector3;
  readonly average: number;
  readonly slice: number;
  readonly contrast: number;
  readonly phase: number;
  readonly repetition: number;
  readonly set: number;
  readonly acquisitionTimeStamp: number;
  readonly physiologyTimeStamp: readonly number[];
  /** An unknown number on the wire is kept as it is. */
  readonly imageType: number;
  readonly imageIndex: number;
  readonly imageSeriesIndex: number;
  readonly userInt: readonly number[];
  readonly userFloat: readonly number[];
}

export type PixelArray =
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

export interface MrdImage {
  readonly header: ImageHeader;
  /** Meta attributes as the XML that was on the wire ('' where there are none). */
  readonly attributes: string;
  /** [nChannels, z, y, x], x fastest; complex types interleaved, so twice as long. */
  readonly data: PixelArray;
}

export interface WaveformHeader {
  readonly version: number;
  readonly flags: bigint;
  readonly measurementUid: number;
  readonly scanCounter: number;
  readonly timeStamp: number;
  readonly nSamples: number;
  readonly nChannels: number;
  readonly sampleTimeUs: number;
  readonly waveformId: number;
}

export interface Waveform {
  readonly header: WaveformHeader;
  /** [nChannels, nSamples] */
  readonly data: Uint32Array;
}

/** Element types of an NDARRAY message are those of an image. */
export interface NdArray {
  readonly version: number;
  readonly dataType: ImageDataTypeName;
  readonly dimensions: readonly number[];
  readonly data: PixelArray;
}

/** One message, whole, as the convenience reader yields it and the writer takes it. */
export type MrdMessage =
  | { readonly kind: 'configFile'; readonly name: string }
  | { readonly kind: 'configText'; readonly text: string }
  | { readonly kind: 'header'; readonly xml: string }
  | { readonly kind: 'close' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'query'; readonly correlationId: bigint; readonly query: string }
  | { readonly kind: 'response'; readonly correlationId: bigint; readonly response: string }
  | { readonly kind: 'acquisition'; readonly acquisition: Acquisition }
  | { readonly kind: 'dicom'; readonly file: Uint8Array; readonly name: string; readonly attributes: string }
  | { readonly kind: 'dependency'; readonly attributes: string }
  | { readonly kind: 'image'; readonly image: MrdImage }
  | { readonly kind: 'waveform'; readonly waveform: Waveform }
  | { readonly kind: 'ndarray'; readonly array: NdArray };

/**
 * What the stream parser hands over. Every method is optional and is called synchronously.
 * `allocate` is asked once an acquisition's header is read: it returns where the samples are to be
 * copied (2 * nChannels * nSamples floats, anywhere, e.g. in a shared WebAssembly memory), or
 * undefined when there is no room now; the parser then stops before that acquisition's samples and
 * `parser.write` returns early, to be called again with the rest of the bytes.
 */
export interface MrdSink {
  configFile?(name: string): void;
  configText?(text: string): void;
  header?(xml: string): void;
  close?(): void;
  text?(text: string): void;
  query?(correlationId: bigint, query: string): void;
  response?(correlationId: bigint, response: string): void;
  allocate?(header: AcquisitionHeader): Float32Array | undefined;
  acquisition?(acquisition: Acquisition): void;
  dicom?(file: Uint8Array, name: string, attributes: string): void;
  dependency?(attributes: string): void;
  image?(image: MrdImage): void;
  waveform?(waveform: Waveform): void;
  ndarray?(array: NdArray): void;
}
