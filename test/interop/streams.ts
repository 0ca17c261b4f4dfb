/** Recorded streams and their like, made here. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeConfigFile, encodeConfigText, encodeMessage, MessageId } from 'ismrmrd';
import { SimulatedScan } from '../../simulator/index.js';
import type { ScanOptions } from '../../simulator/index.js';

/** Recordings that may lie beside the repository: golden streams of other programs, and measured k-space. */
export function recording(path: string): string | undefined {
  const file = fileURLToPath(new URL(`../../../shared/data/${path}`, import.meta.url));
  return existsSync(file) ? file : undefined;
}

/** The stream with another config: its name, or as JSON text. */
export function withConfig(stream: Uint8Array, config: string): Buffer {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const lengths: Readonly<Record<number, number>> = {
    [MessageId.configFile]: 2 + 1024,
    [MessageId.configText]: 2 + 4 + view.getUint32(2, true),
  };
  const nBytes = lengths[view.getUint16(0, true)];
  if (nBytes === undefined) throw new Error('a stream that does not begin with its config');
  const parts = config.startsWith('{') ? encodeConfigText(config) : encodeConfigFile(config);
  return Buffer.concat([...parts, stream.subarray(nBytes)]);
}

/** A small simulated scan of the spine phantom, as bytes. */
export function simulated(options: Partial<ScanOptions> = {}): Buffer {
  const scan = new SimulatedScan({ matrix: [96, 96], nCoils: 8, noiseStd: 0.002, noiseScanSamples: 10_240, ...options });
  return Buffer.concat([...scan.messages()].flatMap(encodeMessage));
}
