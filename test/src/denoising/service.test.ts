/** Denoising as a client meets it: a real socket, worker threads, a model process, and models that misbehave. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { encodeMessage, parseMessages, parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Denoising } from '../../../src/denoising/index.js';
import type { DenoisingOptions } from '../../../src/denoising/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { ReconstructionPool } from '../../../src/reconstruction/index.js';
import { defaultConnectionOptions, MrdServer } from '../../../src/server/index.js';
import { SimulatedScan } from '../../../simulator/index.js';
import { temporaryFolder, writeModel } from '../../models/folders.js';
import * as graphs from '../../models/onnx.js';

const nSlices = 3;
let stream: Buffer;
beforeAll(() => {
  const scan = new SimulatedScan({ matrix: [64, 48], nSlices, nCoils: 6, acceleration: 2, calibrationLines: 16, noiseStd: 0.005 });
  stream = Buffer.concat([...scan.messages()].flatMap((message) => encodeMessage(message)));
});

interface Answer {
  readonly texts: string[];
  readonly conventional: MrdImage[];
  readonly denoised: MrdImage[];
  readonly residual: MrdImage[];
}
type Scan = (parameters: Readonly<Record<string, string>>) => Promise<Answer>;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A service whose models are these; each scan is a session with parameters of its own. */
async function serviceOf(models: Readonly<Record<string, Uint8Array>>, options: DenoisingOptions = {}, timeoutMs = 2_000): Promise<Scan> {
  const folder = temporaryFolder();
  for (const [id, graph] of Object.entries(models)) writeModel(folder, id, graph, { timeoutMs });
  const denoising = await Denoising.open({ threads: 1, ...options, models: [folder] });
  const reconstructions = new ReconstructionPool({ threads: 2 });
  closing.push(async () => denoising.close(), () => reconstructions.close());
  const log = createLog('silent', { write: () => undefined });
  return async (parameters) => {
    const server = new MrdServer({
      ...defaultConnectionOptions, maxSessions: 4, reconstructions, denoisers: denoising, overrides: parameters, log, metrics: new Metrics(),
    });
    const { port } = await server.listen(0, '127.0.0.1');
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.write(stream);
    const parts: Buffer[] = [];
    for await (const chunk of socket as AsyncIterable<Buffer>) parts.push(chunk);
    await server.close(0);
    const messages = parseMessages(Buffer.concat(parts));
    const images = messages.flatMap((message) => (message.kind === 'image' ? [message.image] : []));
    const ofKind = (kind: string) => images.filter((image) => factsOf(image)['ConusKind'] === kind);
    return {
      texts: messages.flatMap((message) => (message.kind === 'text' ? [message.text] : [])),
      conventional: ofKind('image'), denoised: ofKind('denoised'), residual: ofKind('residual'),
    };
  };
}

const factsOf = (image: MrdImage): Readonly<Record<string, string>> =>
  Object.fromEntries([...parseMeta(image.attributes)].map(([name, values]) => [name, values.join('\\')]));
const pixels = (images: readonly MrdImage[]) => images.map(({ data }) => data);
const slices = (images: readonly MrdImage[]) => images.map(({ header }) => header.slice);
const allSlices = [0, 1, 2];

describe('a scan with a denoiser', () => {
  it('comes back with two series; the conventional one is bit for bit that of a scan without', async () => {
    const scan = await serviceOf({ same: graphs.identity() });
    const without = await scan({ denoise: '0' });
    expect([slices(without.conventional), without.denoised]).toEqual([allSlices, []]);
    const both = await scan({ denoise: '75', denoiseModel: 'same', onRed: 'deliver', residualMap: 'true' });
    expect(pixels(both.conventional)).toEqual(pixels(without.conventional));
    expect([slices(both.denoised), slices(both.residual)]).toEqual([allSlices, allSlices]);
    const [denoised] = both.denoised;
    expect(denoised!.header.imageSeriesIndex).not.toBe(both.conventional[0]!.header.imageSeriesIndex);
    expect(factsOf(denoised!)).toMatchObject({ ConusDenoise: '75', ConusDenoiseNoise: 'measured', ConusModel: 'same', ConusModelVersion: '1.2.3' });
    expect(factsOf(denoised!)['SeriesDescription']).toMatch(/ DN75$/);
    expect(factsOf(denoised!)['ImageType']).toBe('DERIVED\\PRIMARY\\M\\GRAPPA\\DENOISED');
    expect(factsOf(both.residual[0]!)['SeriesDescription']).toMatch(/ DN75 RESIDUAL$/);
  });

  it('ends the denoised series at an image whose light is red, unless it is asked for', async () => {
    // A denoiser that does nothing leaves a residual that is no noise.
    const scan = await serviceOf({ same: graphs.identity() });
    const { texts, conventional, denoised } = await scan({ denoise: '75', denoiseModel: 'same' });
    expect([slices(conventional), denoised]).toEqual([allSlices, []]);
    expect(texts.join('\n')).toMatch(/CONUS_WARN_QUALITY_END: slice 0 is red/);
    const asked = await scan({ denoise: '75', denoiseModel: 'same', onRed: 'deliver' });
    expect(factsOf(asked.denoised[0]!)['ConusQuality']).toBe('red');
    expect(asked.texts.join('\n')).toMatch(/CONUS_WARN_QUALITY: 3 denoised images are red/);
  });

  it('shows less of an image whose light is red, and of all after it, where that is asked for, and says so', async () => {
    const scan = await serviceOf({ same: graphs.identity() });
    const { texts, denoised } = await scan({ denoise: '75', denoiseModel: 'same', onRed: '40' });
    expect(slices(denoised)).toEqual(allSlices);
    expect(factsOf(denoised[0]!)).toMatchObject({ ConusDenoise: '40', ConusQuality: 'red' });
    expect(factsOf(denoised[0]!)['SeriesDescription']).toMatch(/ DN40$/);
    expect(texts.filter((text) => text.includes('CONUS_WARN_QUALITY_STRENGTH'))).toEqual([expect.stringMatching(/slice 0 is red .* 40 %/)]);
  });

  it('leaves the conventional series out where only the denoised one is wanted, and sends it where that is not complete', async () => {
    const scan = await serviceOf({ same: graphs.identity(), bad: graphs.alwaysNotANumber() });
    const only = await scan({ denoise: '50', denoiseModel: 'same', onRed: 'deliver', sendOriginal: 'false' });
    expect([slices(only.denoised), only.conventional]).toEqual([allSlices, []]);
    const failed = await scan({ denoise: '50', denoiseModel: 'bad', sendOriginal: 'false' });
    expect([failed.denoised, slices(failed.conventional)]).toEqual([[], allSlices]);
    expect(failed.texts.join('\n')).toMatch(/CONUS_WARN_ORIGINAL_SENT/);
  });
});

const fake = (name: string) => fileURLToPath(new URL(`../../models/hosts/${name}.mjs`, import.meta.url));

describe('a scan whose denoiser', () => {
  it.each<[what: string, reason: RegExp, graph: Uint8Array, options: DenoisingOptions]>([
    ['gives no numbers', /MODEL_ERR_OUTPUT_NAN/, graphs.alwaysNotANumber(), {}],
    ['gives images of another shape', /MODEL_ERR_OUTPUT_SHAPE/, graphs.twiceAsMany(), {}],
    ['takes other arrays', /MODEL_ERR_GRAPH/, graphs.otherNames(), {}],
    ['is corrupt', /MODEL_ERR_LOAD/, Buffer.from('no graph'), {}],
    ['never returns', /MODEL_ERR_TIMEOUT/, graphs.alwaysHangs(), { loadTimeoutMs: 800 }],
    ['aborts its process', /MODEL_ERR_CRASHED/, graphs.identity(), { script: fake('abortsAfterTrial') }],
    ['cannot be started', /MODEL_ERR_HOST/, graphs.identity(), { script: fake('doesNotStart') }],
    ['is slower than the deadline', /MODEL_ERR_TIMEOUT/, graphs.rounds(50_000_000), { deadlineMs: 700 }],
  ])('%s comes back conventionally with the reason, and hurts no other', async (_what, reason, graph, options) => {
    const scan = await serviceOf({ broken: graph, same: graphs.identity() }, options, 3_000);
    const [broken, without] = await Promise.all([scan({ denoise: '75', denoiseModel: 'broken' }), scan({ denoise: '0' })]);
    expect([slices(broken.conventional), broken.denoised]).toEqual([allSlices, []]);
    expect(pixels(broken.conventional)).toEqual(pixels(without.conventional));
    expect(broken.texts.join('\n')).toMatch(reason);
    expect(broken.texts.join('\n')).toMatch(/denoised series ends here/);
    if (options.script !== undefined || options.deadlineMs !== undefined) return;
    const other = await scan({ denoise: '75', denoiseModel: 'same', onRed: 'deliver' });
    expect(slices(other.denoised)).toEqual(allSlices);
  });

  it('is not there comes back conventionally, and says so', async () => {
    const scan = await serviceOf({ same: graphs.identity() });
    const { texts, conventional, denoised } = await scan({ denoise: '75', denoiseModel: 'absent' });
    expect([slices(conventional), denoised]).toEqual([allSlices, []]);
    expect(texts.join('\n')).toMatch(/RECON_WARN_NOT_DENOISED: No denoiser is ready/);
  });
});
