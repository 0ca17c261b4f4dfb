/**
 * Images of a session that ended in an error. They go into a series of their own, marked INCOMPLETE, so
 * that the series of the same scan sent again is not mixed with them, and nobody takes them for all of it.
 */
import dcmjs from 'dcmjs';
import type { DicomElements } from 'dcmjs';
import type { DicomObject } from './dicomObjects.js';
import { text } from './dicomValues.js';
import { contentUid } from './uids.js';

export const incompleteMark = 'INCOMPLETE';

/** The same pixels under identifiers of their own, which follow from those of the object. */
export function markIncomplete({ instance, bytes }: Pick<DicomObject, 'instance' | 'bytes'>): Pick<DicomObject, 'instance' | 'bytes'> {
  const marked = {
    ...instance,
    seriesInstanceUid: contentUid('incomplete series', instance.seriesInstanceUid),
    sopInstanceUid: contentUid('incomplete image', instance.sopInstanceUid),
  };
  const file = dcmjs.data.DicomMessage.readFile(bytes.slice().buffer);
  const description = text(textOf(file.dict, '0008103E'), 63 - incompleteMark.length);
  const comments = textOf(file.dict, '00204000');
  file.meta = { ...file.meta, '00020003': { vr: 'UI', Value: [marked.sopInstanceUid] } };
  file.dict = {
    ...file.dict,
    '00080018': { vr: 'UI', Value: [marked.sopInstanceUid] },
    '0020000E': { vr: 'UI', Value: [marked.seriesInstanceUid] },
    '0008103E': { vr: 'LO', Value: [`${description} ${incompleteMark}`.trim()] },
    '00204000': { vr: 'LT', Value: [text(`${incompleteMark}: the session ended in an error, images of this series are missing; ${comments}`, 10240)] },
  };
  return { instance: marked, bytes: new Uint8Array(file.write()) };
}

function textOf(elements: DicomElements, tag: string): string {
  return String(elements[tag]?.Value[0] ?? '');
}
