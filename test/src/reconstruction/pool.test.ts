import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagsOf, parseHeader, type AcquisitionHeader } from 'ismrmrd';
import { defaultReconParameters, type ReconImage, type ReconNotice } from '../../../recon/index.js';
import { ReconstructionPool, type SessionReconstruction } from '../../../src/reconstruction/index.js';
import { GridScan, reconstructGrid } from '../../recon/cartesian/gridScan.js';

const matrix = 192;
const nCoils = 16;

const header = parseHeader(
  `<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>` +
    `<encoding>${['encodedSpace', 'reconSpace'].map((name) => `<${name}><matrixSize><x>${matrix}</x><y>${matrix}</y><z>1</z></matrixSize><fieldOfView_mm><x>200</x><y>200</y><z>4</z></fieldOfView_mm></${name}>`).join('')}` +
    `<encodingLimits></encodingLimits><trajectory>cartesian</trajectory></encoding></ismrmrdHeader>`,
);

function readout(line: number, nChannels = nCoils): AcquisitionHeader {
  return {
    version: 1, flags: flagsOf(), measurementUid: 1, scanCounter: line, acquisitionTimeStamp: line, physiologyTimeStamp: [0, 0, 0],
    nSamples: matrix, availableChannels: nChannels, nChannels, channelMask: [], discardPre: 0, discardPost: 0,
    centerSample: matrix / 2, encodingSpaceRef: 0, trajectoryDimensions: 0, sampleTimeUs: 5, position: [0, 0, 0],
    readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1], patientTablePosition: [0, 0, 0],
    idx: {
      kspaceEncodeStep1: line, kspaceEncodeStep2: 0, average: 0, slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0,
      segment: 0, user: [0, 0, 0, 0, 0, 0, 0, 0],
    },
    userInt: [], userFloat: [],
  };
}

class Client {
  readonly images: ReconImage[] = [];
  readonly notices: ReconNotice[] = [];
  readonly failures: Error[] = [];
  scan!: SessionReconstruction;
  #room: () => void = () => undefined;

  async open(pool: ReconstructionPool): Promise<this> {
    this.scan = await pool.open(header, defaultReconParameters, {
      image: (image) => this.images.push(image),
      notice: (notice) => this.notices.push(notice),
      room: () => this.#room(),
      failed: (error) => this.failures.push(error),
    });
    return this;
  }

  async line(line: number, fill: (samples: Float32Array) => void, nChannels = nCoils): Promise<void> {
    const acquisition = readout(line, nChannels);
    for (;;) {
      const room = new Promise<void>((resolve) => (this.#room = resolve));
      const slot = this.scan.allocate(acquisition);
      if (slot !== undefined) {
        fill(slot);
        this.scan.commit(acquisition);
        return;
      }
      await room;
    }
  }

  async lines(scale: number): Promise<void> {
    for (let line = 0; line < matrix; line++) {
      await this.line(line, (samples) => samples.forEach((_, i) => (samples[i] = scale * Math.sin(i * 0.37 + line * 1.7))));
    }
  }
}

describe('the reconstruction pool', () => {
  let pool: ReconstructionPool;
  beforeAll(async () => {
    pool = new ReconstructionPool({ threads: 2 });
    await pool.ready();
  });
  afterAll(() => pool.close());

  it('gives each of many scans at once its own image', async () => {
    const clients = await Promise.all(Array.from({ length: 6 }, () => new Client().open(pool)));
    await Promise.all(clients.map((client, i) => client.lines(i + 1)));
    await Promise.all(clients.map((client) => client.scan.finish()));
    const first = clients[0]!.images[0]!.data;
    const energy = first.reduce((sum, value) => sum + value * value, 0);
    clients.forEach((client, i) => {
      expect(client.images).toHaveLength(1);
      const difference = client.images[0]!.data.reduce((sum, value, p) => sum + (value / (i + 1) - first[p]!) ** 2, 0);
      expect(difference / energy).toBeLessThan(1e-8);
    });
  });

  it('has images solved for by a fellow, or by itself where it is alone: the same ones, in order', async () => {
    const scan = new GridScan({ matrix: [48, 48, 1], nCoils: 6, nSlices: 3, acceleration: 2, noiseStd: 0.01 });
    const parameters = { ...defaultReconParameters, unalias: 'l1', noiseMap: true } as const;
    const alone = new ReconstructionPool({ threads: 1 });
    try {
      const expected = reconstructGrid(scan, parameters).images;
      for (const one of [pool, alone]) {
        const images: ReconImage[] = [];
        const session = await one.open(scan.header, parameters, {
          image: (image) => images.push(image), notice: () => undefined, room: () => undefined,
          failed: (error) => { throw error; },
        });
        for (const { header: own, samples } of scan.readouts()) {
          const acquisition = { ...readout(0, 6), ...own };
          session.allocate(acquisition)!.set(samples);
          session.commit(acquisition);
        }
        await session.finish();
        expect(images.map(({ kind, counters }) => [kind, counters.slice])).toEqual([0, 1, 2].flatMap((slice) => [['image', slice], ['noise', slice]]));
        images.forEach((image, i) => expect(image.data).toEqual(expected[i]!.data));
      }
    } finally {
      await alone.close();
    }
  });

  it('fails the scan of a bad readout and no other', async () => {
    const good = await new Client().open(pool);
    const bad = await new Client().open(pool);
    await bad.line(0, (samples) => samples.fill(1));
    await bad.line(1, (samples) => samples.fill(NaN));
    await good.lines(1);
    await good.scan.finish();
    await expect(bad.scan.finish()).rejects.toMatchObject({ code: 'RECON_ERR_NOT_FINITE' });
    expect(bad.failures).toHaveLength(1);
    expect(good.images).toHaveLength(1);
  });

  it('refuses a readout that could never fit, before it is copied', async () => {
    const client = await new Client().open(pool);
    expect(() => client.scan.allocate({ ...readout(0), nSamples: 60_000, nChannels: 64 })).toThrowError(
      expect.objectContaining({ code: 'RECON_ERR_READOUT_SIZE' }),
    );
    await client.scan.abort();
  });

  it('refuses a scan that does not fit beside the others, and takes it when they have ended', async () => {
    const small = new ReconstructionPool({ threads: 1, totalMemoryBytes: 30 * 2 ** 20 });
    const first = await new Client().open(small);
    await first.lines(1);
    await expect(new Client().open(small)).rejects.toMatchObject({ code: 'RECON_ERR_MEMORY_BUSY' });
    await first.scan.finish();
    const second = await new Client().open(small);
    await second.scan.abort();
    await small.close();
  });

  it('refuses a scan that could never fit', async () => {
    const tiny = new ReconstructionPool({ threads: 1, memoryLimitBytes: 16 * 2 ** 20 });
    await expect(new Client().open(tiny)).rejects.toMatchObject({ code: 'RECON_ERR_MEMORY_LIMIT' });
    await tiny.close();
  });

  it('gives the memory of ended scans back', async () => {
    const run = async (nScans: number) => {
      for (let i = 0; i < nScans; i++) {
        const client = await new Client().open(pool);
        await client.lines(1);
        await client.scan.finish();
      }
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return process.memoryUsage().rss;
    };
    const before = await run(5);
    const after = await run(30);
    // Kept, thirty scans would be some 700 MB.
    expect(after - before).toBeLessThan(250 * 2 ** 20);
  });
});
