/** Images in ISMRMRD files, as the demo compares and draws them. */
import { createMrdFile, ImageType, openMrdFile, parseMeta, type Meta, type MrdImage } from 'ismrmrd';

/** One delivered slice or map. */
export interface DemoImage {
  /** `image`, `denoised`, `gFactor` or `noise`. */
  readonly kind: string;
  /** Of denoised images: how much of the denoised image is shown. */
  readonly strengthPercent?: number;
  readonly slice: number;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], in the unit of the image: stored values times the recorded scale. */
  readonly values: Float32Array;
}

/** Every image of a file that holds real pixels. @throws MRD_ERR_HDF5_* */
export async function readDemoImages(path: string): Promise<DemoImage[]> {
  const file = await openMrdFile(path);
  try {
    return file.imageGroups.flatMap(({ name }) => [...file.images(name)].map(demoImage));
  } finally {
    file.close();
  }
}

function demoImage({ header, attributes, data }: MrdImage): DemoImage {
  const meta: Meta = attributes === '' ? new Map() : parseMeta(attributes);
  const slope = Number(meta.get('RescaleSlope')?.[0] ?? 1);
  const [columns, rows] = header.matrixSize;
  const strength = meta.get('ConusDenoise')?.[0];
  return {
    ...(strength !== undefined && { strengthPercent: Number(strength) }),
    kind: meta.get('ConusKind')?.[0] ?? 'image',
    slice: header.slice,
    rows,
    columns,
    values: Float32Array.from(data, (value) => value * slope),
  };
}

/** Writes slices as float32 images of one series. @throws MRD_ERR_HDF5_* */
export async function writeTruth(path: string, slices: readonly DemoImage[]): Promise<void> {
  const file = await createMrdFile(path);
  slices.forEach(({ slice, rows, columns, values }, index) =>
    file.appendImage({
      header: {
        version: 1,
        dataType: 'float32',
        flags: 0n,
        measurementUid: 1,
        matrixSize: [columns, rows, 1],
        fovMm: [0, 0, 0],
        nChannels: 1,
        position: [0, 0, 0],
        readDir: [0, 0, 0],
        phaseDir: [0, 0, 0],
        sliceDir: [0, 0, 0],
        patientTablePosition: [0, 0, 0],
        average: 0,
        slice,
        contrast: 0,
        phase: 0,
        repetition: 0,
        set: 0,
        acquisitionTimeStamp: 0,
        physiologyTimeStamp: [0, 0, 0],
        imageType: ImageType.magnitude,
        imageIndex: index + 1,
        imageSeriesIndex: 1,
        userInt: [0, 0, 0, 0, 0, 0, 0, 0],
        userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
      },
      attributes: '',
      data: values,
    }),
  );
  await file.close();
}
