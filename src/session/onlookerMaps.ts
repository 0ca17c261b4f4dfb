/** Maps that are made for whoever looks on: beside those that the client asked for, and never sent to it. */
import type { ReconImageKind } from '../../recon/index.js';
import type { ParameterName, Parameters } from '../chain/index.js';

const parameterOf = { gFactor: 'gFactorMap', noise: 'noiseMap', snr: 'snrMap' } as const satisfies Partial<Record<ReconImageKind, ParameterName>>;
export type OnlookerMapKind = keyof typeof parameterOf;

export class OnlookerMaps {
  readonly #own: ReadonlySet<ReconImageKind>;
  readonly #clientWantsMaps: boolean;
  /** Of the reconstruction. */
  readonly parameters: Parameters;

  /** @param parameters as the client has them */
  constructor(kinds: readonly OnlookerMapKind[], parameters: Parameters) {
    const own = kinds.filter((kind) => !parameters[parameterOf[kind]]);
    this.#own = new Set(own);
    this.#clientWantsMaps = parameters.psf || parameters.coilMaps || Object.values(parameterOf).some((name) => parameters[name]);
    this.parameters = { ...parameters, ...Object.fromEntries(own.map((kind) => [parameterOf[kind], true])) };
  }

  /** Whether an image goes to the client. */
  sends(kind: ReconImageKind): boolean {
    return !this.#own.has(kind);
  }

  /** Whether a remark does: that there are no maps means nothing to a client that did not ask for any. */
  says(code: string): boolean {
    return this.#clientWantsMaps || code !== 'RECON_WARN_NO_MAPS';
  }
}
