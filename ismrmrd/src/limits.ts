import { mrdError } from './errors.js';

/**
 * What a stream may ask for. Every limit is checked against what a message declares, before anything
 * is allocated for it.
 */
export interface ParserLimits {
  /** Messages in one stream. Default 2^24: a scan rarely has more than a million readouts. */
  readonly maxMessages: number;
  /** Bytes of one message, headers included, as declared. Default 1 GiB. */
  readonly maxMessageBytes: number;
  /**
   * Pieces in which one message may arrive. Pieces are copied, never kept, so that this bounds work
   * and not memory. Default 2^20.
   */
  readonly maxChunksPerMessage: number;
  /** Bytes of the XML header. Default 4 MiB. */
  readonly maxHeaderXmlBytes: number;
  /** Bytes of a configuration text. Default 1 MiB. */
  readonly maxConfigTextBytes: number;
  /** Bytes of a text, a query or a response. Default 1 MiB. */
  readonly maxTextBytes: number;
  /** Bytes of the meta attributes of an image, a DICOM file or a dependency. Default 4 MiB. */
  readonly maxAttributeBytes: number;
  /** Channels of an acquisition. Default 1024, as many as the channel mask can name. */
  readonly maxChannels: number;
  /** Samples a channel of an acquisition. Default 65,535, as many as the header can say. */
  readonly maxSamples: number;
  /** Samples times channels of an acquisition. Default 2^24: 128 MiB. */
  readonly maxAcquisitionSamples: number;
  /** Numbers a sample in a trajectory. Default 16. */
  readonly maxTrajectoryDimensions: number;
  /** Pixels of an image: columns times rows times slices times channels. Default 2^26. */
  readonly maxImagePixels: number;
  /** Samples times channels of a waveform. Default 2^22. */
  readonly maxWaveformSamples: number;
  /** Dimensions of an NDARRAY. Default 7, as in the C++ library. */
  readonly maxNdArrayRank: number;
  /** Elements of an NDARRAY. Default 2^26. */
  readonly maxNdArrayElements: number;
  /** Bytes of a DICOM file. Default 256 MiB. */
  readonly maxDicomBytes: number;
  /** Bytes of a DICOM file's name. Default 4096. */
  readonly maxDicomNameBytes: number;
}

const MEBI = 2 ** 20;

export const DEFAULT_LIMITS: ParserLimits = {
  maxMessages: 16 * MEBI,
  maxMessageBytes: 1024 * MEBI,
  maxChunksPerMessage: MEBI,
  maxHeaderXmlBytes: 4 * MEBI,
  maxConfigTextBytes: MEBI,
  maxTextBytes: MEBI,
  maxAttributeBytes: 4 * MEBI,
  maxChannels: 1024,
  maxSamples: 65_535,
  maxAcquisitionSamples: 16 * MEBI,
  maxTrajectoryDimensions: 16,
  maxImagePixels: 64 * MEBI,
  maxWaveformSamples: 4 * MEBI,
  maxNdArrayRank: 7,
  maxNdArrayElements: 64 * MEBI,
  maxDicomBytes: 256 * MEBI,
  maxDicomNameBytes: 4096,
};

/** The defaults with the given limits put over them. @throws MRD_ERR_LIMIT */
export function limitsOf(limits: Partial<ParserLimits>): ParserLimits {
  const merged = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, value] of Object.entries(merged)) {
    // NaN would compare false with everything and so switch a limit off in silence.
    if (!(value >= 0)) throw mrdError('MRD_ERR_LIMIT', `${name} = ${value}`);
  }
  return merged;
}
