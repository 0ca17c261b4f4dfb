/** `conus compare A B`: how far images A are from reference B, after one scale fit each. */
import { fitScale, nRmse, psnr, scaled, ssim } from '../../imaging/index.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { readImages } from './imageFiles.js';
import type { RealImage } from './imageFiles.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';

export interface CompareOptions {
  readonly mask?: string;
  /** Pixels above this fraction of the reference's maximum count. */
  readonly threshold?: number;
  readonly series?: number;
  readonly json: boolean;
}

interface Comparison {
  readonly scale: number;
  readonly nRmse: number;
  readonly psnrDb: number;
  readonly ssim: number;
}

/** @throws CodedError CONUS_ERR_NOT_COMPARABLE, CONUS_ERR_IMAGE_FILE, CONUS_ERR_INPUT, IMG_ERR_* */
export async function compare(pathA: string, pathB: string, options: CompareOptions, io: CliIo): Promise<ExitCode> {
  const images = await readImages(pathA, options.series, io);
  const references = await readImages(pathB, options.series, io);
  if (images.length !== references.length) {
    throw cliError('CONUS_ERR_NOT_COMPARABLE', `${images.length} images and ${references.length} references`);
  }
  const mask = options.mask === undefined ? undefined : (await readImages(options.mask, undefined, io))[0];
  const results = images.map((image, i) => compareOne(image, references[i]!, mask, options.threshold));
  if (options.json) {
    printJson(io.stdout, { images: results });
  } else {
    printTable(
      io.stdout,
      ['image', 'scale', 'nRMSE', 'PSNR/dB', 'SSIM'],
      results.map((result, i) => [
        String(i), result.scale.toPrecision(6), result.nRmse.toExponential(3), result.psnrDb.toFixed(2), result.ssim.toFixed(5),
      ]),
    );
  }
  return ExitCode.ok;
}

function compareOne(image: RealImage, reference: RealImage, maskImage: RealImage | undefined, threshold: number | undefined): Comparison {
  const { rows, columns } = reference;
  for (const other of [image, ...(maskImage === undefined ? [] : [maskImage])]) {
    if (other.rows !== rows || other.columns !== columns) {
      throw cliError('CONUS_ERR_NOT_COMPARABLE', `${other.columns} x ${other.rows} against ${columns} x ${rows} pixels`);
    }
  }
  const maximum = reference.values.reduce((largest, value) => Math.max(largest, value), -Infinity);
  const minimum = reference.values.reduce((smallest, value) => Math.min(smallest, value), Infinity);
  const mask =
    maskImage?.values ??
    (threshold === undefined ? undefined : Uint8Array.from(reference.values, (value) => Number(value > threshold * maximum)));
  const scale = fitScale(image.values, reference.values, mask);
  const fitted = scaled(image.values, scale);
  const dataRange = maximum - minimum;
  return {
    scale,
    nRmse: nRmse(fitted, reference.values, mask),
    psnrDb: psnr(fitted, reference.values, dataRange, mask),
    ssim: ssim(fitted, reference.values, { rows, columns, dataRange, ...(mask === undefined ? {} : { mask }) }),
  };
}
