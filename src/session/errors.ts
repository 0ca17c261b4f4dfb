/** What can be wrong with the order of a session's messages, and what is remarked without ending it. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';
import { noticesOf } from '../notices.js';

export const SESSION_ERRORS = {
  CONUS_ERR_NO_CONFIG: {
    expected: 'a config (CONFIG_FILE or CONFIG_TEXT) as the first message',
    action: 'send the config, then the header, then the data',
  },
  CONUS_ERR_CONFIG_TWICE: {
    expected: 'one config a session',
    action: 'open a session for each config',
  },
  CONUS_ERR_NO_HEADER: {
    expected: 'the ISMRMRD header before the first acquisition, image or waveform',
    action: 'send the header after the config',
  },
  CONUS_ERR_HEADER_TWICE: {
    expected: 'one header a session',
    action: 'open a session for each measurement',
  },
  CONUS_ERR_CLOSE_FIRST: {
    expected: 'a config or a query before CLOSE',
    action: 'send the config, the header and the data before CLOSE',
  },
  CONUS_ERR_RAW_NOT_SAVED: {
    expected: 'a server that saves raw data, for the chain savedataonly',
    action: 'start the server with --save-raw DIR',
  },
  CONUS_ERR_INTERNAL: {
    expected: 'no failure within the server itself',
    action: 'report it with the log of this session; the raw data can be replayed with conus recon',
  },
} as const satisfies ErrorTable;

export const SESSION_WARNINGS = {
  CONUS_WARN_NO_CLOSE: {
    expected: 'CLOSE at the end of the data',
    action: 'send CLOSE and read to the answering CLOSE; the data were taken as complete',
  },
  CONUS_WARN_NO_IMAGES: {
    expected: 'data that images can be made of',
    action: 'check that imaging readouts or images are sent before CLOSE',
  },
  CONUS_WARN_IMAGES_RETURNED: {
    expected: 'raw data, for a chain that reconstructs',
    action: 'none needed; images are returned with their pixels as they came',
  },
  CONUS_WARN_CT_SERIES_END: {
    expected: 'CT slices in Hounsfield units that the denoiser takes, and gives back with nothing but noise taken from them',
    action: 'use the images as they came; denoise=0 asks for no others',
  },
  CONUS_WARN_CT_NOISE_ESTIMATED: {
    expected: 'axial CT slices of the whole body, by filtered backprojection, with kernel and exposure in their attributes, of a scanner that is described',
    action: 'have the client send ConvolutionKernel and Exposure, and compare them with the section ct of the configuration; at an estimated noise map, strength is 75 % at most',
  },
  CONUS_WARN_MESSAGE_IGNORED: {
    expected: 'messages that a client sends: acquisitions, images, waveforms, text, queries',
    action: 'none needed where the data are complete without them',
  },
  CONUS_WARN_NOISE_DEPENDENCY: {
    expected: 'noise readouts in the session itself, or their measurement in the noise store',
    action: 'send the noise readouts (flag 19) before the imaging readouts, or their measurement first, to a server with --noise-store',
  },
  CONUS_WARN_NOISE_NOT_STORED: {
    expected: 'a noise measurement with a measurementID, and a server that stores them',
    action: 'start the server with --noise-store DIR, or send the noise readouts (flag 19) with the imaging readouts',
  },
  CONUS_WARN_QUALITY: {
    expected: 'denoised images whose residual looks like the noise that was there',
    action: 'compare them with the conventional series, which is complete, before anything is read from them',
  },
  CONUS_WARN_QUALITY_STRENGTH: {
    expected: 'denoised images with a light at which onAmber and onRed keep the strength',
    action: 'compare them with the conventional series, which is complete; set onAmber and onRed to have it otherwise',
  },
  CONUS_WARN_QUALITY_END: {
    expected: 'denoised images with a light that onAmber and onRed let pass',
    action: 'use the conventional series; less denoise, or another model, may serve this scan better',
  },
  CONUS_WARN_ORIGINAL_SENT: {
    expected: 'a denoised image for each conventional one, where sendOriginal=false leaves these out',
    action: 'use the conventional series, which is complete',
  },
  CONUS_WARN_MORE_REMARKS: {
    expected: 'few remarks of one kind a session',
    action: 'look at the first ones; the rest was counted only',
  },
} as const satisfies ErrorTable;

export const sessionError = errorsOf(SESSION_ERRORS);
export const sessionWarning = noticesOf(SESSION_WARNINGS);
