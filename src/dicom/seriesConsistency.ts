/**
 * Whether the images that carry one series identifier can be one series (PS3.3, A.1.2.3 and C.7.3.1): the same study,
 * patient, modality and frame of reference as the first of them. Of patients only a hash is kept, with a key of this
 * process.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { dicomError } from './errors.js';
import type { ImageFacts } from './facts.js';
import type { DicomHeader } from './header.js';

/** Series that are remembered; the oldest is forgotten beyond. */
const MAX_SERIES = 4096;

interface SeriesMark {
  readonly study: string;
  readonly patient: string;
  readonly modality: string;
  readonly frameOfReference: string | undefined;
}

export class SeriesConsistency {
  readonly #key = randomBytes(32);
  readonly #marks = new Map<string, SeriesMark>();

  /** @throws DICOM_ERR_MIXED_SERIES */
  check(header: DicomHeader, facts: ImageFacts): void {
    const known = this.#marks.get(header.identity.seriesInstanceUid);
    if (known === undefined) return;
    const mark = this.#markOf(header, facts);
    const different = (Object.keys(mark) as (keyof SeriesMark)[]).filter((key) => mark[key] !== known[key]);
    // An object without a place (a screen shot of the series) has no frame of reference.
    const counts = different.filter((key) => key !== 'frameOfReference' || (mark[key] !== undefined && known[key] !== undefined));
    if (counts.length > 0) throw dicomError('DICOM_ERR_MIXED_SERIES', `another ${counts.join(' and ')} within one series`);
  }

  remember(header: DicomHeader, facts: ImageFacts): void {
    const { seriesInstanceUid } = header.identity;
    if (this.#marks.has(seriesInstanceUid)) return;
    this.#marks.set(seriesInstanceUid, this.#markOf(header, facts));
    if (this.#marks.size > MAX_SERIES) this.#marks.delete(this.#marks.keys().next().value!);
  }

  #markOf({ attributes, identity }: DicomHeader, facts: ImageFacts): SeriesMark {
    const hash = (value: string) => createHmac('sha256', this.#key).update(value).digest('base64');
    return {
      study: identity.studyInstanceUid,
      patient: hash(attributes.text('PatientID') ?? ''),
      modality: facts.modality,
      frameOfReference: facts.frameOfReferenceUid,
    };
  }
}
