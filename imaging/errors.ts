/**
 * Errors of this folder. Same fields as every coded error of the house (code, got, expected,
 * action), declared here because imaging/ knows nobody.
 */
export const IMG_ERRORS = {
  IMG_ERR_SHAPE: {
    expected: 'as many pixels as rows times columns, in every image that is compared or drawn together',
    action: 'check the matrix sizes; resample one of the images first',
  },
  IMG_ERR_EMPTY_MASK: {
    expected: 'a mask with at least one pixel inside the image',
    action: 'lower the threshold of the mask or leave it out',
  },
  IMG_ERR_ZERO_REFERENCE: {
    expected: 'a reference that is not zero everywhere',
    action: 'check that image and reference were not swapped and that the reference was reconstructed',
  },
  IMG_ERR_DATA_RANGE: {
    expected: 'a data range that is finite and above zero',
    action: 'give the distance between the smallest and the largest value that the reference can take',
  },
  IMG_ERR_WINDOW: {
    expected: 'an odd window of at least 3 pixels that fits into the image',
    action: 'choose a smaller window',
  },
  IMG_ERR_GEOMETRY: {
    expected: 'a field of view above zero and a matrix of whole numbers above zero on every axis',
    action: 'check encoding.reconSpace in the header',
  },
  IMG_ERR_DIRECTIONS: {
    expected: 'three orthogonal unit vectors as row, column and slice direction',
    action: 'check read_dir, phase_dir and slice_dir; where the scanner gave none, leave the geometry unknown',
  },
  IMG_ERR_AFFINE: {
    expected: 'an affine of finite numbers with three orthogonal axes of a length above zero',
    action: 'resample the image onto a grid without shear',
  },
  IMG_ERR_PIXEL_WINDOW: {
    expected: 'a finite centre and a finite width above zero',
    action: 'give another window or leave it out',
  },
  IMG_ERR_NO_OVERLAP: {
    expected: 'two volumes that cover a common part of the patient',
    action: 'check positions and orientations; only series of one examination can be registered',
  },
  IMG_ERR_SEQUENCE: {
    expected: 'times above zero, and a repetition time that holds preparation and echo train',
    action: 'lengthen TR, or shorten the echo train, the echo spacing or the inversion time',
  },
  IMG_ERR_NIFTI_HEADER: {
    expected: 'a NIfTI-1 header in one file with its data (.nii or .nii.gz)',
    action: 'check the file; convert header pairs, ANALYZE and NIfTI-2 to NIfTI-1 first',
  },
  IMG_ERR_NIFTI_GZIP: {
    expected: 'one whole gzip stream of no more than the header announces',
    action: 'check that the file is complete',
  },
  IMG_ERR_NIFTI_DIMENSIONS: {
    expected: 'one volume of 1 to 32767 voxels along each of up to three axes, within the limit of voxels',
    action: 'split series of volumes into files; raise the limit for larger volumes',
  },
  IMG_ERR_NIFTI_DATA_TYPE: {
    expected: 'real integers of 8 to 64 bits, float32 or float64, with the bits that the data type has',
    action: 'convert complex and colour images to real volumes first',
  },
  IMG_ERR_NIFTI_TRUNCATED: {
    expected: 'as many bytes behind the header as its dimensions and data type need',
    action: 'check that the file is complete',
  },
  IMG_ERR_NIFTI_GEOMETRY: {
    expected: 'an sform or a qform with finite numbers, a unit quaternion and voxel sizes above zero',
    action: 'write the orientation into the file; it is never invented here',
  },
  IMG_ERR_NIFTI_RANGE: {
    expected: 'finite values inside the range of the integer type',
    action: 'choose another data type, or a slope and an intercept',
  },
} as const;

export type ImagingErrorCode = keyof typeof IMG_ERRORS;

export class ImagingError extends Error {
  readonly code: ImagingErrorCode;
  readonly got: string;
  readonly expected: string;
  readonly action: string;

  constructor(code: ImagingErrorCode, got: string) {
    const { expected, action } = IMG_ERRORS[code];
    super(`${code}: got ${got}; expected ${expected}; ${action}`);
    this.name = 'ImagingError';
    this.code = code;
    this.got = got;
    this.expected = expected;
    this.action = action;
  }
}
