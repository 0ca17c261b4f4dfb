/** Simulated scans as streams that can be read again and again. */
import { encodeMessage, parseMessages } from 'ismrmrd';
import type { MrdHeader, MrdMessage } from 'ismrmrd';
import { serializeHeader } from 'ismrmrd';
import { SimulatedScan, type ScanOptions } from '../../../simulator/index.js';

export const smallScan: Partial<ScanOptions> = { matrix: [64, 64], nSlices: 2, nCoils: 8, noiseStd: 0.02, interleaveSlices: true };

export type Opener = () => Promise<AsyncIterable<Uint8Array>>;

/** @param change of the header, e.g. an echo train length */
export function streamOf(options: Partial<ScanOptions>, change: (header: MrdHeader) => MrdHeader = (header) => header): Opener {
  const scan = new SimulatedScan(options);
  const messages = [...scan.messages()].map((message): MrdMessage =>
    message.kind === 'header' ? { kind: 'header', xml: serializeHeader(change(scan.header)) } : message,
  );
  const bytes = Buffer.concat(messages.flatMap(encodeMessage));
  return () => Promise.resolve(inChunks(bytes));
}

async function* inChunks(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield await Promise.resolve(bytes.subarray(at, at + 65_536));
}

export async function messagesOf(bytes: AsyncIterable<Uint8Array>): Promise<MrdMessage[]> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes) parts.push(part);
  return parseMessages(Buffer.concat(parts));
}

export function withTiming(echoTrainLength: number | undefined, trMs = 3000): (header: MrdHeader) => MrdHeader {
  return (header) => ({
    ...header,
    encoding: [{ ...header.encoding[0]!, ...(echoTrainLength === undefined ? {} : { echoTrainLength }) }],
    sequenceParameters: { ...header.sequenceParameters!, TR: [trMs] },
  });
}
