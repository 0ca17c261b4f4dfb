/**
 * The demo: plays a scan to the Conus server over a socket, as a scanner would, and measures what
 * comes back. Everything that it does, it does with the commands of `conus`, which it prints.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePng } from '../../imaging/index.js';
import type { ScanOptions } from '../../simulator/index.js';
import { runConus, startServer, type ClosedSession, type ConusCommand } from './conus.js';
import { readDemoImages, type DemoImage } from './images.js';
import { demoMontage } from './montage.js';
import { writePhantom } from './phantom.js';

export interface DemoOptions {
  readonly conus: ConusCommand;
  readonly outputDirectory: string;
  /** A stream or an ISMRMRD file to play, or the simulated scan to make and play. */
  readonly input: { readonly file: string } | { readonly scan: Partial<ScanOptions> };
  readonly print: (line: string) => void;
}

/** Time from readout to readout in the paced session. */
const paceUs = 2000;
/** Pixels below this part of the truth's maximum are background and do not count. */
const maskThreshold = 0.05;

interface SendResult {
  readonly nImages: number;
  readonly totalMs: number;
  readonly lastReadoutToLastImageMs?: number;
}

interface CompareResult {
  readonly images: readonly { readonly nRmse: number; readonly ssim: number }[];
}

/** @returns the files that were written. @throws with the words of the command that failed */
export async function runDemo({ conus, outputDirectory, input, print }: DemoOptions): Promise<string[]> {
  await mkdir(outputDirectory, { recursive: true });
  const at = (name: string) => join(outputDirectory, name);
  const isPhantom = 'scan' in input;
  let stream: string;
  if (isPhantom) {
    stream = at('scan.mrd');
    const startedAt = performance.now();
    await writePhantom(stream, at('truth.h5'), input.scan);
    print(`A simulated scan of a lumbar spine, its k-space exact: ${seconds(performance.now() - startedAt)}\n`);
  } else {
    stream = input.file;
  }

  const server = await startServer(conus);
  const port = String(server.port);
  let paced: SendResult;
  let fast: SendResult;
  let sessions: ClosedSession[];
  try {
    paced = (await runConus(conus, 'send', stream, '-o', at('images.h5'), '--port', port, '--pace-us', String(paceUs))) as SendResult;
    fast = (await runConus(conus, 'send', stream, '-o', at('images.mrd'), '--port', port)) as SendResult;
  } finally {
    sessions = await server.stop();
  }
  await runConus(conus, 'recon', stream, '-o', at('maps.h5'), '--set', 'gFactorMap=true', '--set', 'noiseMap=true');
  await runConus(conus, 'recon', stream, '-o', at('zero-filled.h5'), '--set', 'unalias=none', '--set', 'combine=rss');
  await runConus(conus, 'recon', stream, '-o', at('dicom/'));
  await runConus(conus, 'recon', stream, '-o', at('images.png'));
  await writeFile(at('montage.png'), encodePng(await montageOf(at, isPhantom)));

  const rows: [string, string][] = [
    ...stageRows(sessions[0]),
    [`last readout to last image, ${paceUs / 1000} ms a readout`, milliseconds(paced.lastReadoutToLastImageMs)],
    ['whole session, as fast as the socket takes it', milliseconds(fast.totalMs)],
    ['images', String(paced.nImages)],
  ];
  if (isPhantom) {
    const truth = ['--threshold', String(maskThreshold)];
    const ours = (await runConus(conus, 'compare', at('images.h5'), at('truth.h5'), ...truth)) as CompareResult;
    const theirs = (await runConus(conus, 'compare', at('zero-filled.h5'), at('truth.h5'), ...truth)) as CompareResult;
    rows.push(...qualityRows('Conus', ours), ...qualityRows('zero-filled', theirs));
  }
  print('');
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) print(`${name.padEnd(width)}  ${value.padStart(9)}`);
  const written = ['images.h5', 'images.mrd', 'maps.h5', 'zero-filled.h5', 'dicom/', 'montage.png'];
  return [...written, ...(isPhantom ? ['scan.mrd', 'truth.h5'] : [])].map(at);
}

async function montageOf(at: (name: string) => string, hasTruth: boolean) {
  const images = await readDemoImages(at('images.h5'));
  const conus = images.filter(({ kind }) => kind === 'image');
  const slice = conus[Math.floor(conus.length / 2)]!.slice;
  const find = async (name: string, kind: string): Promise<DemoImage | undefined> =>
    (await readDemoImages(at(name))).find((image) => image.kind === kind && image.slice === slice);
  return demoMontage({
    truth: hasTruth ? await find('truth.h5', 'image') : undefined,
    zeroFilled: (await find('zero-filled.h5', 'image'))!,
    conus: conus.find((image) => image.slice === slice)!,
    denoised: images.find((image) => image.kind === 'denoised' && image.slice === slice),
    gFactor: await find('maps.h5', 'gFactor'),
  });
}

function stageRows(session: ClosedSession | undefined): [string, string][] {
  return Object.entries(session?.stageMs ?? {}).map(([stage, ms]) => [`stage ${stage}`, milliseconds(ms)]);
}

function qualityRows(name: string, { images }: CompareResult): [string, string][] {
  const mean = (value: (image: CompareResult['images'][number]) => number) =>
    images.reduce((sum, image) => sum + value(image), 0) / images.length;
  return [
    [`SSIM of ${name} against the truth`, mean(({ ssim }) => ssim).toFixed(4)],
    [`nRMSE of ${name} against the truth`, mean(({ nRmse }) => nRmse).toFixed(4)],
  ];
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? 'none' : `${ms.toFixed(1)} ms`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
