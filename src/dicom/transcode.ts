/** The same object in a native transfer syntax, for peers that do not take the stored one. Pixels are exactly the same. */
import dcmjsCodecs from 'dcmjs-codecs';
import { codecsReady } from './codecs.js';
import { dicomError } from './errors.js';
import { readIdentity } from './header.js';

/**
 * @param file a whole DICOM file
 * @throws those of readIdentity; DICOM_ERR_CODEC
 */
export async function transcode(file: Uint8Array, transferSyntaxUid: string): Promise<Uint8Array> {
  readIdentity(file);
  await codecsReady();
  try {
    const transcoder = new dcmjsCodecs.Transcoder(new Uint8Array(file).buffer);
    transcoder.transcode(transferSyntaxUid);
    return new Uint8Array(transcoder.getDicomPart10());
  } catch (cause) {
    throw dicomError('DICOM_ERR_CODEC', `an object that cannot be written in ${transferSyntaxUid}`, { cause });
  }
}
