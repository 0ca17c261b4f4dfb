/** What becomes of denoised images by their quality lights, and what is said of them at the end. */
import type { QualityLight, ReconImage, ReconNotice } from '../../recon/index.js';
import { sessionWarning } from './errors.js';

export type Fallback = 'deliver' | 'end';
export type Lights = Readonly<Record<QualityLight, number>>;

export class QualityWatch {
  readonly #fallbacks: Readonly<Record<QualityLight, Fallback>>;
  readonly #say: (notice: ReconNotice) => void;
  readonly #lights = { green: 0, amber: 0, red: 0 };
  readonly #reasons = { green: new Set<string>(), amber: new Set<string>(), red: new Set<string>() };
  #hasEnded = false;

  constructor(onAmber: Fallback, onRed: Fallback, say: (notice: ReconNotice) => void) {
    this.#fallbacks = { green: 'deliver', amber: onAmber, red: onRed };
    this.#say = say;
  }

  get lights(): Lights {
    return this.#lights;
  }

  /** Whether an image goes out. The first one that does not ends its series: one series holds one method and no gaps. */
  passes({ kind, denoising, counters }: ReconImage): boolean {
    if (denoising === undefined) return true;
    if (this.#hasEnded) return false;
    const { light, reasons } = denoising;
    if (this.#fallbacks[light] === 'end') {
      this.#hasEnded = true;
      this.#say(sessionWarning('CONUS_WARN_QUALITY_END', `slice ${counters.slice} is ${light} (${reasons.join('; ')}); the denoised series ends before it, the conventional one is complete`));
      return false;
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
