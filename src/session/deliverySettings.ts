/** How the images of a session are delivered, by what was chosen for it. */
import type { Chain, Parameters } from '../chain/index.js';
import type { DeliverySettings } from '../delivery/index.js';
import { VERSION } from '../version.js';

export function deliverySettings(chain: Chain, parameters: Parameters, seriesIndexBase: number): DeliverySettings {
  return {
    pixelType: parameters.pixelType,
    openRecon: chain.name === 'openrecon',
    seriesIndexBase,
    ...(parameters.seriesDescription === '' ? {} : { seriesDescription: parameters.seriesDescription }),
    parameters,
    chain: chain.name,
    softwareVersion: VERSION,
  };
}
