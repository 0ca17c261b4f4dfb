/** Many sessions at once: an idle, a broken, a slow or a senseless one takes nothing from the others. */
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeClose, encodeImage, encodeMessage, parseMessages } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/demo/conus.js';
import { image } from '../ismrmrd/mrdRecords.js';
import { answerIn, answerOn, connected, exchange } from './client.js';
import type { Answer } from './client.js';
import { startService } from './service.js';
import { simulated } from './streams.js';

const nScans = 6;
/** Each client has a scan of its own, so that none can be given another's image. */
const scans = Array.from({ length: nScans }, (_, i) =>
  simulated({
    acceleration: 2, nSlices: 2, seed: i + 1, centreMm: [0, 10 * i, 0], parameters: { pixelType: 'float32' }, interleaveSlices: i % 2 === 1,
  }),
);
const [config, header] = parseMessages(scans[0]!).map((message) => Buffer.concat(encodeMessage(message)));
const beginning = Buffer.concat([config!, header!]);

let service: RunningServer;
beforeEach(async () => {
  service = await startService();
});
// Also checks that the service lived to be stopped.
afterEach(() => service.stop());

/** Slices may come in any order. */
function bySlice({ images }: Answer): MrdImage[] {
  return [...images].sort((a, b) => a.header.slice - b.header.slice);
}

describe('six scans', () => {
  it('give beside an idle session and a senseless one the images that each gives alone', async () => {
    const alone: MrdImage[][] = [];
    for (const scan of scans) alone.push(bySlice(await exchange(service.port, scan)));
    for (const images of alone) expect(images.map(({ header }) => header.slice)).toEqual([0, 1]);

    const idle = await connected(service.port);
    idle.write(beginning);
    const senseless = exchange(service.port, Buffer.alloc(1 << 20, 0xa5));
    const together = await Promise.all(scans.map((scan) => exchange(service.port, scan)));
    for (const [i, answer] of together.entries()) {
      for (const [slice, found] of bySlice(answer).entries()) {
        const { header: expected, data } = alone[i]![slice]!;
        // Images are numbered as they are sent.
        expect({ ...found.header, imageIndex: 0 }).toEqual({ ...expected, imageIndex: 0 });
        expect(found.data).toEqual(data);
      }
      expect(answer.images.length).toBe(2);
    }
    expect((await senseless).texts).toEqual([expect.stringMatching(/^ERR MRD_ERR_UNKNOWN_MESSAGE_ID/)]);

    // The idle one is as good as new.
    const answering = answerOn(idle);
    idle.end(scans[0]!.subarray(beginning.length));
    expect((await answering).images.length).toBe(2);
  });

  it('are served while others break off in their middle', async () => {
    const reset = async (scan: Uint8Array) => {
      const socket = await connected(service.port);
      socket.write(scan.subarray(0, scan.length / 2));
      await sleep(50);
      socket.resetAndDestroy();
    };
    const answers = await Promise.all(scans.flatMap((scan) => [exchange(service.port, scan), reset(scan).then(() => undefined)]));
    const nImages = answers.flatMap((answer) => (answer === undefined ? [] : [answer.images.length]));
    expect(nImages).toEqual(Array(nScans).fill(2));
    // Places of the broken ones are free again.
    const again = await Promise.all(scans.map((scan) => exchange(service.port, scan)));
    expect(again.map(({ images }) => images.length)).toEqual(Array(nScans).fill(2));
  });
});

describe('a client that reads slowly', () => {
  it('gets all of its images, and holds up nobody', async () => {
    const nImages = 48;
    const slow = await connected(service.port);
    for (const part of [beginning, ...bigImages(nImages), ...encodeClose()]) slow.write(part);
    // Nothing is read at first: the answer fills every buffer on its way.
    const quick = await Promise.all(scans.slice(0, 2).map((scan) => exchange(service.port, scan)));
    expect(quick.map(({ images }) => images.length)).toEqual([2, 2]);

    const parts: Buffer[] = [];
    for await (const chunk of slow.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      parts.push(chunk);
      if (parts.length % 64 === 0) await sleep(1);
    }
    slow.end();
    const { images } = answerIn(Buffer.concat(parts));
    expect(images.map(({ header }) => header.imageIndex)).toEqual(Array.from({ length: nImages }, (_, i) => i));
  });
});

/** Images of 2 MiB, which come back as they are. */
function bigImages(count: number): Uint8Array[] {
  const data = new Uint16Array(1 << 20);
  return Array.from({ length: count }, (_, imageIndex) => {
    const { header: small } = image('uint16', [1, 1, 1]);
    return encodeImage({ header: { ...small, matrixSize: [1024, 1024, 1], imageIndex }, attributes: '', data });
  }).flat();
}
