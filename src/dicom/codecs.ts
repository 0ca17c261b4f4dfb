/** Compressed frames to stored pixels, by the native codecs that dcmjs-codecs brings as WebAssembly. */
import dcmjsCodecs from 'dcmjs-codecs';
import { dicomError } from './errors.js';
import type { Codec } from './sopClasses.js';

export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  readonly photometricInterpretation: string;
}

const { Context, NativeCodecs } = dcmjsCodecs;
dcmjsCodecs.log.disableAll();

const decoders: Readonly<Record<Codec, (context: InstanceType<typeof Context>) => InstanceType<typeof Context>>> = {
  rle: (context) => NativeCodecs.decodeRle(context),
  jpeg: (context) => NativeCodecs.decodeJpeg(context),
  jpegLs: (context) => NativeCodecs.decodeJpegLs(context),
  jpeg2000: (context) => NativeCodecs.decodeJpeg2000(context),
};

let initialised: Promise<void> | undefined;

/** To be awaited once before `decodeFrame`. */
export function codecsReady(): Promise<void> {
  initialised ??= NativeCodecs.initializeAsync();
  return initialised;
}

/** @returns little-endian pixels, rows x columns x bitsAllocated / 8 bytes. @throws DICOM_ERR_CODEC */
export function decodeFrame(codec: Codec, encoded: Uint8Array, format: PixelFormat): Uint8Array {
  const expected = (format.rows * format.columns * format.bitsAllocated) / 8;
  let decoded: Uint8Array | undefined;
  try {
    const context = new Context({
      width: format.columns,
      height: format.rows,
      bitsAllocated: format.bitsAllocated,
      bitsStored: format.bitsStored,
      samplesPerPixel: 1,
      pixelRepresentation: format.isSigned ? 1 : 0,
      planarConfiguration: 0,
      photometricInterpretation: format.photometricInterpretation,
      encodedBuffer: encoded,
    });
    decoded = decoders[codec](context).getDecodedBuffer();
  } catch (cause) {
    throw dicomError('DICOM_ERR_CODEC', `a ${codec} frame that cannot be decoded`, { cause });
  }
  if (decoded?.length !== expected) throw dicomError('DICOM_ERR_CODEC', `${decoded?.length ?? 0} bytes for a frame of ${expected}`);
  return decoded;
}
