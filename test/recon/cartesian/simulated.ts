/** Scans of the simulated scanner, played to the reconstruction message by message. */
import { parseHeader, serializeHeader } from 'ismrmrd';
import type { ReconParameters } from '../../../recon/index.js';
import { SimulatedScan, type ScanOptions } from '../../../simulator/index.js';
import { reconstructGrid, type PlayedScan, type Reconstructed } from './gridScan.js';

export function played(scan: SimulatedScan): PlayedScan {
  return {
    header: parseHeader(serializeHeader(scan.header)),
    options: scan.options,
    nSamples: scan.nSamples,
    readouts: function* () {
      for (const message of scan.messages()) {
        if (message.kind === 'acquisition') yield { header: message.acquisition.header, samples: message.acquisition.data };
      }
    },
  };
}

export function reconstructSimulated(options: Partial<ScanOptions>, parameters: Partial<ReconParameters> = {}): Reconstructed {
  return reconstructGrid(played(new SimulatedScan(options)), parameters);
}
