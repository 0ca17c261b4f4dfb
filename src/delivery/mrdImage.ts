/**
 * A delivered image as an MRD image message: the header that places it in the patient and in the
 * scan, and the attributes that a scanner, a viewer or a physicist reads with it.
 */
import { ImageType, serializeMeta } from 'ismrmrd';
import type { ImageHeader, MetaAttributes, MrdHeader, MrdImage } from 'ismrmrd';
import type { ReconImage } from '../../recon/index.js';
import { denoisingAttributes } from './denoised.js';
import { imageComments, imageTypeValues, processingHistory, seriesMark, unitOf } from './describe.js';
import { isSimulated, ofContrast } from './headerFacts.js';
import type { DeliveredImage } from './series.js';
import type { DeliverySettings } from './types.js';

const unknownVector = [0, 0, 0] as const;

export function mrdImage(
  delivered: DeliveredImage,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): MrdImage {
  return {
    header: imageHeader(delivered),
    attributes: serializeMeta(metaAttributes(delivered, header, settings)),
    data: delivered.pixels,
  };
}

function imageHeader({ image, series, imageIndex }: DeliveredImage): ImageHeader {
  const { geometry, counters } = image;
  return {
    version: 1,
    dataType: series.pixelType,
    flags: 0n,
    measurementUid: image.measurementUid,
    matrixSize: [image.columns, image.rows, 1],
    fovMm: image.fovMm,
    nChannels: 1,
    position: geometry?.centreMm ?? unknownVector,
    readDir: geometry?.rowDirection ?? unknownVector,
    phaseDir: geometry?.columnDirection ?? unknownVector,
    sliceDir: geometry?.sliceDirection ?? unknownVector,
    patientTablePosition: image.patientTablePosition,
    average: counters.average,
    slice: counters.slice,
    contrast: counters.contrast,
    phase: counters.phase,
    repetition: counters.repetition,
    set: counters.set,
    acquisitionTimeStamp: image.acquisitionTimeStamp,
    physiologyTimeStamp: image.physiologyTimeStamp,
    imageType: series.pixelType === 'complex64' ? ImageType.complex : ImageType.magnitude,
    imageIndex,
    imageSeriesIndex: series.index,
    userInt: [0, 0, 0, 0, 0, 0, 0, 0],
    userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
  };
}

/**
 * The attributes that scanners read back (DataRole to Keep_image_geometry), and our own record
 * (Conus…). WindowCenter and WindowWidth are in stored values; value = stored * RescaleSlope +
 * RescaleIntercept, in the unit that ConusUnit names.
 */
function metaAttributes(
  { image, series }: DeliveredImage,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
): MetaAttributes {
  const sequence = header?.sequenceParameters;
  const echoTime = ofContrast(sequence?.TE, image);
  const inversionTime = ofContrast(sequence?.TI, image);
  return {
    DataRole: 'Image',
    ImageProcessingHistory: processingHistory(image),
    ImageComments: imageComments(image, header, settings),
    SeriesDescription: series.description,
    SequenceDescriptionAdditional: ['CONUS', seriesMark(image)].join(' ').trim().replaceAll(' ', '_'),
    ImageType: imageTypeValues(image).join('\\'),
    RescaleSlope: series.rescaleSlope,
    RescaleIntercept: 0,
    WindowCenter: series.window.centre,
    WindowWidth: series.window.width,
    ...(echoTime === undefined ? {} : { EchoTime: echoTime }),
    ...(inversionTime === undefined ? {} : { InversionTime: inversionTime }),
    ...geometryAttributes(image),
    ...(isSimulated(header) && { ConusSimulated: 'true' }),
    ConusVersion: settings.softwareVersion,
    ConusChain: settings.chain,
    ConusParameters: JSON.stringify(settings.parameters),
    ConusKind: image.kind,
    ...(image.coil === undefined ? {} : { ConusCoil: image.coil }),
    ConusMethod: image.method,
    ConusPartialFourier: image.partialFourier,
    ...(image.postProcessing.length > 0 ? { ConusPostProcessing: image.postProcessing.join(' ') } : {}),
    ConusNoiseUnits: String(image.snrUnits),
    ConusUnit: unitOf(image).code,
    ...(image.noiseMapMethod === undefined ? {} : { ConusNoiseMap: image.noiseMapMethod }),
    ConusAcceleration: image.accelerationPhase,
    ConusAccelerationSlice: image.accelerationSlice,
    ConusCoils: image.nCoils,
    ConusVirtualCoils: image.nVirtualCoils,
    ConusCalibrationLines: image.nCalibrationLines,
    ConusMissingLines: image.nMissingLines,
    ...(image.nMapSets === undefined ? {} : { ConusMapSets: image.nMapSets }),
    ...denoisingAttributes(image),
  };
}

/** Without directions in the raw data there is nothing that a scanner could keep. */
function geometryAttributes({ geometry }: ReconImage): MetaAttributes {
  if (geometry === undefined) return { ConusGeometry: 'unknown' };
  return {
    ImageRowDir: geometry.rowDirection,
    ImageColumnDir: geometry.columnDirection,
    ImageSliceDir: geometry.sliceDirection,
    Keep_image_geometry: 1,
  };
}
