/**
 * The conventional series where the client wants the denoised one alone (sendOriginal=false): held back until
 * it is known that the denoised one is complete, and sent after all where it is not.
 */
import type { ReconImage } from '../../recon/index.js';

/** Images beyond this are not held: then both series go out. */
const mostBytes = 512 * 2 ** 20;

export class WithheldOriginals {
  readonly #held = new Map<string, ReconImage>();
  readonly #denoised = new Set<string>();
  #nBytes = 0;
  #isOpen: boolean;

  /** @param isWanted whether anything is to be held back at all */
  constructor(isWanted: boolean) {
    this.#isOpen = isWanted;
  }

  /** What goes out now that this image is there. */
  take(image: ReconImage): readonly ReconImage[] {
    if (image.kind === 'denoised') this.#denoised.add(placeOf(image));
    if (!this.#isOpen || image.kind !== 'image') return [image];
    this.#nBytes += image.data.byteLength - (this.#held.get(placeOf(image))?.data.byteLength ?? 0);
    this.#held.set(placeOf(image), image);
    // A slice that is delivered again needs its denoised image again.
    this.#denoised.delete(placeOf(image));
    if (this.#nBytes <= mostBytes) return [];
    this.#isOpen = false;
    return this.#release();
  }

  /** No more images come: what has to go out because the denoised series is not complete. */
  end(): readonly ReconImage[] {
    const isComplete = [...this.#held.keys()].every((place) => this.#denoised.has(place));
    return isComplete ? [] : this.#release();
  }

  #release(): ReconImage[] {
    const held = [...this.#held.values()];
    this.#held.clear();
    return held;
  }
}

function placeOf({ counters: { slice, contrast, phase, repetition, set, average } }: ReconImage): string {
  return [slice, contrast, phase, repetition, set, average].join(' ');
}
