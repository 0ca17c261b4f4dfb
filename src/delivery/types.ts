/** What delivery is told, and what every output can do. */
import type { ReconImage, ReconNotice } from '../../recon/index.js';

/** Pixel types of delivered images. Real maps of a complex64 session are float32. */
export type DeliveredPixelType = 'uint16' | 'int16' | 'float32' | 'complex64';

export interface DeliverySettings {
  readonly pixelType: DeliveredPixelType;
  /** The client is an OpenRecon host: it reads int16 where uint16 is the default elsewhere. */
  readonly openRecon: boolean;
  /** Series index of the magnitude images, 1 by default; maps and further series count on from it. */
  readonly seriesIndexBase?: number;
  /** In place of the header's series description or protocol name. */
  readonly seriesDescription?: string;
  /** Reconstruction parameters as they were used, for the record. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Name of the chain. */
  readonly chain: string;
  readonly softwareVersion: string;
  /** DICOM as one multi-frame object a series in place of one object an image. */
  readonly enhancedDicom?: boolean;
  /** Names the raw data (`rawDataIdentity`). Identifiers of DICOM objects follow from it; without it, from the header alone. */
  readonly rawDataIdentity?: string;
}

/** Where a reconstruction's images are written. */
export interface ImageOutput {
  write(image: ReconImage): Promise<void>;
  /** Ends the output; every file that was written, and what is to be said about the images. */
  close(): Promise<{ files: string[]; notices: ReconNotice[] }>;
}
