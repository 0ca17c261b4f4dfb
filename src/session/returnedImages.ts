/**
 * Images that a client sends to a reconstructing chain go back as they are. Two rules of the wire
 * may still change their label: one series index stands for one pixel type and one matrix size,
 * whoever made the images, and int32 is never sent, because client libraries read it as int64.
 */
import type { MrdImage } from 'ismrmrd';

/** Distance kept between series of the client and series of this server. */
const SERIES_GAP = 1000;

export class ReturnedImages {
  readonly #indexOf = new Map<string, number>();
  readonly #used = new Set<number>();
  #reservedFrom = Infinity;

  /** The first series index that is free for this server; later series of the client keep clear of it. */
  reserve(): number {
    if (this.#reservedFrom === Infinity) this.#reservedFrom = Math.max(0, ...this.#used) + 1;
    return this.#reservedFrom;
  }

  /**
   * The image as it may be sent.
   * @param madeAs of an image that was made here of one that the client sent, whose series index it has: what tells its series, which is its own
   */
  prepare(image: MrdImage, madeAs?: string): MrdImage {
    const sendable = withoutInt32(image);
    const imageSeriesIndex = this.#seriesOf(sendable, madeAs);
    if (imageSeriesIndex === sendable.header.imageSeriesIndex) return sendable;
    return { ...sendable, header: { ...sendable.header, imageSeriesIndex } };
  }

  #seriesOf({ header }: MrdImage, madeAs: string | undefined): number {
    const key = [madeAs, header.imageSeriesIndex, header.dataType, header.nChannels, ...header.matrixSize].join(' ');
    const known = this.#indexOf.get(key);
    if (known !== undefined) return known;
    let index = header.imageSeriesIndex + (madeAs === undefined ? 0 : SERIES_GAP);
    if (this.#used.has(index) || (index >= this.#reservedFrom && index < this.#reservedFrom + SERIES_GAP)) {
      index = this.#reservedFrom === Infinity ? index : this.#reservedFrom + SERIES_GAP;
      while (this.#used.has(index)) index++;
    }
    this.#indexOf.set(key, index);
    this.#used.add(index);
    return index;
  }
}

/** float64 holds every int32. */
function withoutInt32(image: MrdImage): MrdImage {
  if (image.header.dataType !== 'int32') return image;
  return { ...image, header: { ...image.header, dataType: 'float64' }, data: Float64Array.from(image.data) };
}
