/** What becomes of denoised images by their quality lights, and what is said of them at the end. */
import { fallbackAt, type DenoisingRecord, type LightFallbacks, type QualityLight, type ReconImage, type ReconNotice } from '../../recon/index.js';
import { sessionWarning } from './errors.js';

export type Lights = Readonly<Record<QualityLight, number>>;

export class QualityWatch {
  readonly #fallbacks: LightFallbacks;
  readonly #say: (notice: ReconNotice) => void;
  readonly #lights = { green: 0, amber: 0, red: 0 };
  readonly #reasons = { green: new Set<string>(), amber: new Set<string>(), red: new Set<string>() };
  #strengthPercent: number;
  #hasEnded = false;

  /** @param askedPercent strength of the first images; those that come with less are told */
  constructor(askedPercent: number, fallbacks: LightFallbacks, say: (notice: ReconNotice) => void) {
    this.#strengthPercent = askedPercent;
    this.#fallbacks = fallbacks;
    this.#say = say;
  }

  get lights(): Lights {
    return this.#lights;
  }

  /** Whether an image goes out. The first one that does not ends its series: one series holds one method and no gaps. */
  passes({ kind, denoising, counters }: ReconImage): boolean {
    if (denoising === undefined) return true;
    if (this.#hasEnded) return false;
    const { light, reasons, strengthPercent } = denoising;
    if (fallbackAt(light, this.#fallbacks) === 'end') {
      this.#hasEnded = true;
      this.#say(sessionWarning('CONUS_WARN_QUALITY_END', `slice ${counters.slice} is ${light} (${reasons.join('; ')}); the denoised series ends before it, the conventional one is complete`));
      return false;
    }
    if (strengthPercent < this.#strengthPercent) {
      this.#strengthPercent = strengthPercent;
      this.#say(lessStrength(`slice ${counters.slice}`, denoising));
    }
    if (kind === 'denoised') {
      this.#lights[light]++;
      for (const reason of reasons) this.#reasons[light].add(reason);
    }
    return true;
  }

  end(): void {
    for (const light of ['red', 'amber'] as const) {
      const n = this.#lights[light];
      if (n > 0) this.#say(sessionWarning('CONUS_WARN_QUALITY', `${n} denoised images are ${light}: ${[...this.#reasons[light]].join('; ')}`));
    }
  }
}

/** Said of the first image that is shown with less strength than those before it. */
export function lessStrength(image: string, { light, reasons, strengthPercent }: DenoisingRecord): ReconNotice {
  const why = light === 'green' ? '' : ` is ${light} (${reasons.join('; ')})`;
  return sessionWarning('CONUS_WARN_QUALITY_STRENGTH', `${image}${why}: from it on ${strengthPercent} % of the denoised images are shown, in a series of their own`);
}
