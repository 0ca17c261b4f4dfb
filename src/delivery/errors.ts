/** Every error and warning of delivery: what became of a reconstructed image on its way out. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const DELIVERY_ERRORS = {
  CONUS_ERR_OUTPUT_KIND: {
    expected: 'an output that ends in .mrd, .h5, .png, .nii or .nii.gz, or a directory for DICOM',
    action: 'name the output by one of these',
  },
  CONUS_ERR_IMAGE_SIZE: {
    expected: 'as many pixel values as rows times columns imply, and 1 to 65535 of each',
    action: 'report this: a stage of the chain gave an image that contradicts its own description',
  },
  CONUS_ERR_DERIVED_SOURCE: {
    expected: 'an MR or CT image of one frame, one sample a pixel and 16 bits',
    action: 'leave this image as it is: only such images are taken as sources of others',
  },
  CONUS_ERR_PSEUDONYM_KEY: {
    expected: 'a readable key file of 32 bytes or more',
    action: 'make one, e.g. with openssl rand -out key 32, keep it secret, and keep it: only it makes the same pseudonyms again',
  },
  CONUS_ERR_BURNED_IN: {
    expected: 'pixels without writing of the patient',
    action: 'do not export this image under a pseudonym: its pixels may name the patient',
  },
} as const satisfies ErrorTable;

/** Remarks on images that are delivered all the same. */
export const DELIVERY_WARNINGS = {
  CONUS_WARN_CLIPPED: {
    expected: 'every pixel within the range of the pixel type at the recorded scale of its series',
    action: 'ask for float32 pixels; the clipped pixels hold the largest value of the type',
  },
  CONUS_WARN_NOT_FINITE: {
    expected: 'finite pixels',
    action: 'look for infinite or undefined samples in the raw data; integer series hold 0 there',
  },
  CONUS_WARN_EMPTY_IMAGE: {
    expected: 'an image in which some pixel is not zero',
    action: 'look at the raw data: nothing was received, or every sample is 0',
  },
  DICOM_WARN_NO_GEOMETRY: {
    expected: 'a position and directions in the raw data',
    action: 'use the Secondary Capture objects for viewing only: they hold no position in the patient',
  },
  CONUS_WARN_NIFTI_GEOMETRY: {
    expected: 'a position and directions in the raw data',
    action: 'do not use the affine of the volume: it holds the voxel size and no place in the patient',
  },
  DICOM_WARN_MAGNITUDE_ONLY: {
    expected: 'integer pixels, all that DICOM MR Image Storage holds',
    action: 'write .mrd or .h5 where float32 or complex64 pixels are wanted',
  },
} as const satisfies ErrorTable;

export type DeliveryErrorCode = keyof typeof DELIVERY_ERRORS;

export const deliveryError = errorsOf(DELIVERY_ERRORS);
export const warning = noticesOf(DELIVERY_WARNINGS);
