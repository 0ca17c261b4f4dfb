/** The maps that `--maps` names, and the parameters behind them. */
import { InvalidArgumentError } from 'commander';
import type { Implied } from '../chain/index.js';

export const mapParameters = {
  gfactor: 'gFactorMap',
  noise: 'noiseMap',
  snr: 'snrMap',
  coilmaps: 'coilMaps',
  psf: 'psf',
  residual: 'residualMap',
} as const;
export type MapName = keyof typeof mapParameters;

/** What a report shows. */
export const reportedMaps: readonly MapName[] = ['gfactor', 'snr', 'psf'];

/** @throws InvalidArgumentError naming what is no map */
export function mapNames(text: string): MapName[] {
  return text.split(',').map((part) => {
    const name = part.trim().toLowerCase();
    if (Object.hasOwn(mapParameters, name)) return name as MapName;
    throw new InvalidArgumentError(`Expected some of ${Object.keys(mapParameters).join(',')}; ${JSON.stringify(part)} is none.`);
  });
}

/** @param source the option that asks for them */
export function impliedByMaps(names: readonly MapName[], source: string): Implied[] {
  return names.map((name) => ({ name: mapParameters[name], value: 'true', source }));
}
