/** Inputs as MRD streams: a recorded stream, stdin, or an ISMRMRD .h5 file played as a client would. */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import {
  encodeAcquisition, encodeClose, encodeConfigFile, encodeHeader, encodeImage, encodeWaveform, isHdf5, openMrdFile,
} from 'ismrmrd';
import type { CliIo } from './io.js';
import { cliError } from './errors.js';

export interface Source {
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Of the file; undefined for stdin. */
  readonly totalBytes: number | undefined;
}

/** The signature of HDF5 stands at 0, 512, 1024 or 2048. */
const SIGNATURE_BYTES = 2056;
const CHUNK_BYTES = 1 << 20;

/** @throws CodedError CONUS_ERR_INPUT */
export async function openSource(path: string, io: CliIo): Promise<Source> {
  if (path === '-') return { bytes: io.stdin, totalBytes: undefined };
  try {
    const { size } = await stat(path);
    const bytes = isHdf5(await firstBytes(path)) ? streamOfHdf5(path) : createReadStream(path, { highWaterMark: CHUNK_BYTES });
    return { bytes: readable(bytes, path), totalBytes: size };
  } catch (cause) {
    throw cliError('CONUS_ERR_INPUT', `${path} (${(cause as Error).message})`, { cause });
  }
}

async function* readable(bytes: AsyncIterable<Uint8Array>, path: string): AsyncIterable<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw cliError('CONUS_ERR_INPUT', `${path} (${(cause as Error).message})`, { cause });
  }
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(SIGNATURE_BYTES), 0, SIGNATURE_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Files hold no config: the chain is chosen from the header, or by `--chain`. */
async function* streamOfHdf5(path: string): AsyncIterable<Uint8Array> {
  const file = await openMrdFile(path);
  try {
    yield* encodeConfigFile('default');
    const xml = file.headerXml();
    if (xml !== undefined) yield* encodeHeader(xml);
    for (const acquisition of file.acquisitions()) yield* encodeAcquisition(acquisition);
    for (const waveform of file.waveforms()) yield* encodeWaveform(waveform);
    for (const { name } of file.imageGroups) {
      for (const image of file.images(name)) yield* encodeImage(image);
    }
    yield* encodeClose();
  } finally {
    file.close();
  }
}
