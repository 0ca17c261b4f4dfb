/** What a session tells the book of exams: an observer that sums up readouts and keeps pictures. */
import type { MrdHeader } from 'ismrmrd';
import type { PixelWindow } from '../../imaging/index.js';
import type { Orientation } from '../../protocols/index.js';
import type { ReconImage } from '../../recon/index.js';
import { instanceNumberOf } from '../delivery/index.js';
import { presentable } from '../session/index.js';
import type { SessionObserver } from '../session/index.js';
import type { DenoisingFacts, ExamEvent, OutputKind } from './events.js';
import { factsOfHeader, isImagingLine, orientationOf } from './facts.js';
import type { SourceFacts } from './facts.js';
import { isShown, pictureOf, windowOwner } from './pictures.js';
import type { ExamPicture } from './pictures.js';

export interface FeedTarget {
  apply(event: ExamEvent): void;
  picture(picture: ExamPicture): void;
  now(): number;
}

/** Lines come by the thousand; nobody looks more often. */
const progressMs = 250;

export function sessionFeed(sessionId: string, target: FeedTarget): SessionObserver {
  const { now } = target;
  let header: MrdHeader | undefined;
  let facts: SourceFacts | undefined;
  let isOpened = false;
  let isOver = false;
  let nLines = 0;
  let nLinesTold = 0;
  let orientation: Orientation | undefined;
  let toldAt = -Infinity;
  /** Of each output, which image each slice and loop is: one that is made anew keeps its number. */
  const numbers = new Map<OutputKind, Map<string, number>>();
  const windows = new Map<string, PixelWindow>();

  const open = (denoising?: DenoisingFacts) => {
    if (isOpened || facts === undefined) return;
    isOpened = true;
    target.apply({ kind: 'sessionOpened', at: now(), sessionId, facts, ...(denoising !== undefined && { denoising }) });
  };
  const progress = () => {
    if (!isOpened || nLines === nLinesTold) return;
    nLinesTold = nLines;
    toldAt = now();
    target.apply({ kind: 'readoutProgress', at: toldAt, sessionId, nLines, ...(orientation !== undefined && { orientation }) });
  };
  const numberOf = (image: ReconImage): number => {
    const ofKind = numbers.get(image.kind) ?? new Map<string, number>();
    numbers.set(image.kind, ofKind);
    const key = JSON.stringify([image.counters, image.coil]);
    // As its DICOM object is numbered, so that it has the same number when it is read from there.
    const number = ofKind.get(key) ?? instanceNumberOf(header, image) ?? ofKind.size + 1;
    ofKind.set(key, number);
    return number;
  };

  return {
    described(described) {
      header = described;
      facts = factsOfHeader(described);
    },
    chosen({ parameters, decisions }) {
      const { origin = 'default', source = 'default' } = decisions.find(({ what }) => what === 'denoise') ?? {};
      open({ percent: parameters.denoise, origin, source });
    },
    readout(header) {
      if (!isImagingLine(header)) return;
      nLines++;
      orientation ??= orientationOf(header);
      if (now() - toldAt >= progressMs) progress();
    },
    inputEnded() {
      progress();
      if (isOpened) target.apply({ kind: 'inputEnded', at: now(), sessionId });
    },
    imageMade(image) {
      const number = numberOf(image);
      const light = image.denoising?.light;
      const nImages = numbers.get(image.kind)!.size;
      target.apply({ kind: 'seriesImage', at: now(), sessionId, output: image.kind, nImages, ...(light !== undefined && { light }) });
      if (!isShown(image.kind)) return;
      const picture = pictureOf(number, image, windows.get(windowOwner(image.kind)));
      windows.set(windowOwner(image.kind), picture.window);
      target.picture(picture);
    },
    imageReturned() {
      open();
      const returned = numbers.get('image') ?? new Map<string, number>();
      numbers.set('image', returned.set(`returned ${returned.size}`, returned.size + 1));
      target.apply({ kind: 'seriesImage', at: now(), sessionId, output: 'image', nImages: returned.size });
    },
    completed(noticeCodes) {
      if (!isOpened) return;
      isOver = true;
      target.apply({ kind: 'seriesEnded', at: now(), sessionId, remarks: [...new Set(noticeCodes)].sort() });
    },
    closed({ outcome, error, noticeCodes }) {
      if (isOver) return;
      if (outcome !== 'completed') open();
      if (!isOpened) return;
      const end = { at: now(), sessionId, remarks: [...new Set(noticeCodes)].sort() };
      if (outcome === 'completed') target.apply({ kind: 'seriesEnded', ...end });
      else {
        const { code, expected, action } = presentable(error);
        // What was got may quote what a client sent.
        target.apply({ kind: 'sessionFailed', ...end, code, text: `expected ${expected}; ${action}` });
      }
    },
  };
}
