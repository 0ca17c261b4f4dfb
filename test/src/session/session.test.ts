import {
  encodeAcquisition, encodeClose, encodeConfigFile, encodeConfigText, encodeDependency, encodeHeader, encodeImage, encodeNdArray,
  encodeQuery, encodeResponse, encodeText, encodeWaveform,
} from 'ismrmrd';
import type { ImageHeader, MrdImage } from 'ismrmrd';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Session, WireAnswer } from '../../../src/session/index.js';
import { FakeReconstructions, MemorySink, play } from '../fakes.js';
import { acquisition, acquisitionHeader, concat, headerXml, lines, scan } from '../streams.js';

const config = (name = 'default') => concat(encodeConfigFile(name));
const configText = (text: string) => concat(encodeConfigText(text));
const header = (xml = headerXml()) => concat(encodeHeader(xml));
const text = (value: string) => concat(encodeText(value));
const query = (value: string) => concat(encodeQuery(42n, value));
const close = () => concat(encodeClose());

function mrdImage(change: Partial<ImageHeader> = {}, data: MrdImage['data'] = Uint16Array.of(1, 2, 3, 4)): MrdImage {
  return {
    header: {
      version: 1, dataType: 'uint16', flags: 0n, measurementUid: 1, matrixSize: [2, 2, 1], fovMm: [2, 2, 1], nChannels: 1,
      position: [0, 0, 0], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1], patientTablePosition: [0, 0, 0],
      average: 0, slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
      imageType: 1, imageIndex: 1, imageSeriesIndex: 1,
      userInt: [0, 0, 0, 0, 0, 0, 0, 0], userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
      ...change,
    },
    attributes: '<ismrmrdMeta><meta><name>IceMiniHead</name><value>abc</value></meta></ismrmrdMeta>',
    data,
  };
}
const image = (change: Partial<ImageHeader> = {}, data?: MrdImage['data']) => concat(encodeImage(mrdImage(change, data)));
const waveform = () =>
  concat(
    encodeWaveform({
      header: { version: 1, flags: 0n, measurementUid: 1, scanCounter: 0, timeStamp: 0, nSamples: 3, nChannels: 1, sampleTimeUs: 1, waveformId: 0 },
      data: Uint32Array.of(1, 2, 3),
    }),
  );
const ndarray = () => concat(encodeNdArray({ version: 1, dataType: 'uint16', dimensions: [2], data: Uint16Array.of(1, 2) }));

/** The kinds of an answer, remarks left out. */
const kindsOf = (messages: readonly { kind: string }[]) => messages.map(({ kind }) => kind).filter((kind) => kind !== 'text');

describe('a scan', () => {
  it('is answered with its image and CLOSE', async () => {
    const { messages, summary, reconstructions } = await play([scan()]);
    expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(summary).toMatchObject({ outcome: 'completed', nReadouts: 16, nImagesOut: 1, chain: 'default', stageMs: { fake: 1 } });
    expect(reconstructions.opened[0]).toMatchObject({ nCommitted: 16, isFinished: true });
  });

  it('is answered in the same bytes however it is cut, and however little room there is', async () => {
    const parts = [
      config(), header(), text('{"parameters":{"pixelType":"float32"}}'), query('gadgetron::version'), ...lines(), waveform(),
      image({ imageSeriesIndex: 5 }), text('hello'), close(),
    ];
    const stream = concat(parts);
    const whole = (await play([stream])).answer;
    const cut = fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(cut, fc.integer({ min: 1, max: 5 }), async (at, room) => {
        const ends = [...new Set([...at, stream.length])].sort((a, b) => a - b);
        const chunks = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end));
        expect((await play(chunks, { room })).answer).toEqual(whole);
      }),
      { numRuns: 40 },
    );
    const bytes = Array.from(stream, (_, i) => stream.subarray(i, i + 1));
    expect((await play(bytes, { room: 2 })).answer).toEqual(whole);
  });

  it('waits for room, and for nothing else', async () => {
    const sink = new MemorySink();
    const session = new Session({ id: 'test', reconstructions: new FakeReconstructions({ room: 3 }), answer: new WireAnswer(sink) });
    expect(session.write(concat([config(), header()]))).toBeUndefined();
    const wait = session.write(concat(lines()));
    expect(wait).toBeInstanceOf(Promise);
    await wait;
    expect(session.isMidMessage).toBe(false);
    expect((await session.end()).nReadouts).toBe(16);
  });

  it('gets its parameters from config, header and TEXT before the first readout', async () => {
    const { reconstructions, texts } = await play([
      configText('{"chain":"simplefft","parameters":{"noiseMap":true}}'), header(), text('{"parameters":{"kernelPhase":"6"}}\0garbage'),
      ...lines(), text('{"parameters":{"combine":"maps"}}'), close(),
    ]);
    expect(reconstructions.parameters[0]).toMatchObject({ combine: 'rss', unalias: 'none', noiseMap: true, kernelPhase: 6 });
    expect(texts).toEqual([expect.stringMatching(/^WRN CONUS_WARN_LATE_PARAMETERS: /)]);
  });

  it('takes strings with a NUL that is counted, and garbage after it', async () => {
    const name = config();
    name.fill(0xff, 2 + 'default'.length + 1);
    const { summary } = await play([name, header(`${headerXml()}\0`), ...lines(), close()]);
    expect(summary).toMatchObject({ outcome: 'completed', nImagesOut: 1 });
  });

  it('without CLOSE is taken as complete, with a remark', async () => {
    const { messages, texts } = await play([config(), header(), ...lines()]);
    expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(texts).toEqual([expect.stringMatching(/^WRN CONUS_WARN_NO_CLOSE/)]);
  });

  it('that makes no image says so', async () => {
    expect((await play([config(), header(), close()])).texts).toEqual([expect.stringContaining('CONUS_WARN_NO_IMAGES')]);
    expect((await play([config(), header(), ...lines().slice(0, 3), waveform(), close()])).texts).toEqual([
      expect.stringMatching(/CONUS_WARN_NO_IMAGES: 3 readouts, 0 images and 1 waveforms/),
    ]);
  });

  it('bytes after CLOSE mean nothing', async () => {
    const { messages, summary } = await play([concat([scan(), config(), Uint8Array.of(1, 2, 3)]), header()]);
    expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(summary.outcome).toBe('completed');
  });

  it('tells of a noise measurement that is not stored', async () => {
    const xml = headerXml().replace(
      '<acquisitionSystemInformation>',
      '<measurementInformation><patientPosition>HFS</patientPosition><measurementDependency><dependencyType>Noise</dependencyType>' +
        '<measurementID>m1</measurementID></measurementDependency></measurementInformation><acquisitionSystemInformation>',
    );
    expect((await play([config(), header(xml), ...lines(), close()])).texts).toEqual([expect.stringContaining('CONUS_WARN_NOISE_DEPENDENCY')]);
  });
});

describe('other chains', () => {
  it.each(['null', 'savedataonly'])('%s takes everything and answers CLOSE', async (name) => {
    const stream = [config(name), header('no XML at all'), ...lines(), image(), waveform(), acquisition(0, { nCoils: 2 }), close()];
    const { messages, summary, reconstructions } = await play(stream, {}, { savesRaw: true });
    expect(messages).toEqual([{ kind: 'close' }]);
    expect(summary).toMatchObject({ outcome: 'completed', nReadouts: 17, nImagesIn: 1, nImagesOut: 0 });
    expect(reconstructions.opened).toEqual([]);
  });

  it('savedataonly is refused where nothing is saved', async () => {
    expect((await play([scan('savedataonly')])).summary.errorCode).toBe('CONUS_ERR_RAW_NOT_SAVED');
  });

  it('a query for dependencies is answered with none', async () => {
    const { messages } = await play([config('gtquery.xml'), close()]);
    expect(messages).toEqual([{ kind: 'dependency', attributes: expect.stringContaining('<ismrmrdMeta></ismrmrdMeta>') as string }, { kind: 'close' }]);
  });

  it('a noise measurement of its own is not stored, and that is said', async () => {
    const { messages, texts } = await play([config('default_measurement_dependencies.xml'), header(), acquisition(0, {}, 'noiseMeasurement'), close()]);
    expect(kindsOf(messages)).toEqual(['dependency', 'close']);
    expect(texts).toEqual([expect.stringContaining('CONUS_WARN_NOISE_NOT_STORED')]);
  });

  it('config and CLOSE is a legal question', async () => {
    expect((await play([config(), close()])).messages).toEqual([{ kind: 'close' }]);
  });

  it('openrecon delivers int16', async () => {
    const { messages } = await play([scan('openrecon')]);
    expect(messages.find(({ kind }) => kind === 'image')).toMatchObject({ image: { header: { dataType: 'int16' } } });
  });
});

describe('queries', () => {
  it.each([
    ['gadgetron::version', /^Conus /],
    ['gadgetron::info', /grappa\.xml/],
    ['ismrmrd::version', /^1\.\d+\.\d+$/],
    ['mystery::version', /unknown query/],
    ['constructor', /unknown query/],
  ])('%s', async (question, answer) => {
    const sink = new MemorySink();
    const session = new Session({ id: 'test', reconstructions: new FakeReconstructions(), answer: new WireAnswer(sink) });
    void session.write(query(question));
    // Answered at once: a client that waits for it sends nothing more.
    expect(sink.bytes.length).toBeGreaterThan(0);
    const { messages, summary } = await play([query(question), close()]);
    expect(messages).toEqual([{ kind: 'response', correlationId: 42n, response: expect.stringMatching(answer) as string }, { kind: 'close' }]);
    expect(summary.outcome).toBe('completed');
  });
});

describe('images that come in', () => {
  it('go back as they came, with one remark', async () => {
    const { messages, texts } = await play([config(), header('no XML'), image(), image({ imageIndex: 2 }), close()]);
    expect(messages.filter(({ kind }) => kind === 'image')).toEqual([
      { kind: 'image', image: mrdImage() },
      { kind: 'image', image: mrdImage({ imageIndex: 2 }) },
    ]);
    expect(texts).toEqual([expect.stringContaining('CONUS_WARN_IMAGES_RETURNED')]);
  });

  it('of int32 go back as float64', async () => {
    const data = Int32Array.of(-2147483648, 2147483647, 0, 1);
    const { messages } = await play([config(), header(), image({ dataType: 'int32' }, data), close()]);
    expect(messages.find(({ kind }) => kind === 'image')).toMatchObject({
      image: { header: { dataType: 'float64' }, data: Float64Array.from(data) },
    });
  });

  it('never share a series with others of another size or type, or with reconstructed ones', async () => {
    const bigger = image({ matrixSize: [4, 1, 1], imageSeriesIndex: 1 });
    const { messages } = await play([
      config(), header(), image(), bigger, image({ dataType: 'float32' }, Float32Array.of(1, 2, 3, 4)), ...lines(),
      image({ imageSeriesIndex: 2 }), image(), bigger, image({ imageSeriesIndex: 7 }, Uint16Array.of(4, 3, 2, 1)), close(),
    ]);
    const kindBySeries = new Map<number, string>();
    for (const message of messages) {
      if (message.kind !== 'image') continue;
      const { imageSeriesIndex, dataType, matrixSize } = message.image.header;
      const source = message.image.attributes.includes('IceMiniHead') ? 'client' : 'conus';
      const kind = [source, dataType, ...matrixSize].join(' ');
      expect(kindBySeries.get(imageSeriesIndex) ?? kind).toBe(kind);
      kindBySeries.set(imageSeriesIndex, kind);
    }
    expect(messages.filter(({ kind }) => kind === 'image')).toHaveLength(8);
  });
});

describe('what is wrong is answered with its code, then CLOSE', () => {
  const stream = [config(), header(), ...lines(), close()];
  it.each<[string, Uint8Array[], string]>([
    ['nothing at all', [], 'CONUS_ERR_NO_CONFIG'],
    ['CLOSE first', [close()], 'CONUS_ERR_CLOSE_FIRST'],
    ['header first', [header(), config(), ...lines(), close()], 'CONUS_ERR_NO_CONFIG'],
    ['a text first', [text('hello'), config()], 'CONUS_ERR_NO_CONFIG'],
    ['an acquisition first', [...lines(), close()], 'CONUS_ERR_NO_CONFIG'],
    ['an image first', [image(), close()], 'CONUS_ERR_NO_CONFIG'],
    ['a waveform first', [waveform(), close()], 'CONUS_ERR_NO_CONFIG'],
    ['an unknown config', [config('does_not_exist.xml'), header(), ...lines(), close()], 'CONUS_ERR_UNKNOWN_CONFIG'],
    ['a path for a config', [config('../../etc/passwd'), header(), close()], 'CONUS_ERR_UNKNOWN_CONFIG'],
    ['a config text of no kind', [configText('{"chain"'), header(), close()], 'CONUS_ERR_CONFIG_TEXT'],
    ['two configs', [config(), config(), header(), close()], 'CONUS_ERR_CONFIG_TWICE'],
    ['a config after the header', [config(), header(), configText('grappa'), close()], 'CONUS_ERR_CONFIG_TWICE'],
    ['two headers', [config(), header(), header(), close()], 'CONUS_ERR_HEADER_TWICE'],
    ['no header', [config(), ...lines(), close()], 'CONUS_ERR_NO_HEADER'],
    ['no header for an image', [config(), image(), close()], 'CONUS_ERR_NO_HEADER'],
    ['a header that is not XML', [config(), header('Dummy XML header'), ...lines(), close()], 'MRD_ERR_HEADER_NOT_XML'],
    ['a header that is not XML, and no data', [config(), header('Dummy XML header'), close()], 'MRD_ERR_HEADER_NOT_XML'],
    ['a parameter of the wrong type', [config(), header(), text('{"parameters":{"combine":3}}'), close()], 'CONUS_ERR_PARAMETER'],
    ['an unknown message', [config(), header(), Uint8Array.of(0xe7, 3), close()], 'MRD_ERR_UNKNOWN_MESSAGE_ID'],
    ['a header of 4 GB', [config(), Uint8Array.of(3, 0, 0xff, 0xff, 0xff, 0xff, 1, 2)], 'MRD_ERR_HEADER_TOO_LONG'],
    ['a truncated message', [concat([config(), header(), ...lines()]).subarray(0, -100)], 'MRD_ERR_TRUNCATED_MESSAGE'],
  ])('%s', async (_name, chunks, code) => {
    const { messages, texts, summary } = await play(chunks);
    expect(summary).toMatchObject({ outcome: 'failed', errorCode: code });
    expect(messages.at(-1)).toEqual({ kind: 'close' });
    expect(texts.at(-1)).toMatch(new RegExp(`^ERR ${code}: got .+; expected .+; .+`));
  });

  it('and the list of known configs', async () => {
    expect((await play([config('x')])).texts.at(-1)).toContain('Generic_Cartesian_Grappa.xml');
  });

  it('a wrong channel count mid-scan: what came before is reconstructed', async () => {
    const mixed = [config(), header(), ...lines(), acquisition(0, { nCoils: 3 }), close()];
    const { messages, summary, reconstructions } = await play(mixed, { nCoils: 4 });
    expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(summary.errorCode).toBe('RECON_ERR_FAKE_CHANNELS');
    expect(reconstructions.opened[0]?.isFinished).toBe(true);
  });

  it('a message that is cut short: what came before is reconstructed', async () => {
    const { messages, summary } = await play([concat([config(), header(), ...lines(), acquisition(0)]).subarray(0, -8)]);
    expect(kindsOf(messages)).toEqual(['image', 'close']);
    expect(summary.errorCode).toBe('MRD_ERR_TRUNCATED_MESSAGE');
  });

  it('a reconstruction that fails', async () => {
    const { messages, summary, reconstructions } = await play(stream, { failAt: 5 });
    expect(kindsOf(messages)).toEqual(['close']);
    expect(summary).toMatchObject({ outcome: 'failed', errorCode: 'RECON_ERR_FAKE_SAMPLES' });
    expect(reconstructions.opened[0]?.isAborted).toBe(true);
  });

  it('a reconstruction that fails while a readout waits for room', async () => {
    const { summary } = await play(stream, { room: 1, failAt: 3 });
    expect(summary.errorCode).toBe('RECON_ERR_FAKE_SAMPLES');
  });

  it('a reconstruction that cannot be opened', async () => {
    const { texts, summary } = await play(stream, { openError: new TypeError('a path: /secret') });
    expect(summary).toMatchObject({ outcome: 'failed', errorCode: 'CONUS_ERR_INTERNAL' });
    expect(texts.at(-1)).not.toContain('secret');
  });

  it.each([['while lines still come', false], ['at the very end', true]])('an image that cannot be delivered, %s', async (_, emitsAtEnd) => {
    class Broken extends WireAnswer {
      override image(): void {
        throw new RangeError('broken');
      }
    }
    const sink = new MemorySink();
    const session = new Session({ id: 'test', reconstructions: new FakeReconstructions({ emitsAtEnd }), answer: new Broken(sink) });
    await session.write(scan());
    expect(await session.closed).toMatchObject({ outcome: 'failed', errorCode: 'CONUS_ERR_INTERNAL' });
  });

  it('an error from outside', async () => {
    const sink = new MemorySink();
    const session = new Session({ id: 'test', reconstructions: new FakeReconstructions(), answer: new WireAnswer(sink) });
    await session.write(concat([config(), header(), ...lines()]));
    session.fail(new Error('outside'));
    expect(session.takesInput).toBe(false);
    expect((await session.closed).nImagesOut).toBe(1);
  });
});

describe('a client that is gone', () => {
  it('frees its reconstruction and is answered no more', async () => {
    const sink = new MemorySink();
    const reconstructions = new FakeReconstructions();
    const session = new Session({ id: 'test', reconstructions, answer: new WireAnswer(sink) });
    await session.write(concat([config(), header(), ...lines().slice(0, 3)]));
    const before = sink.bytes.length;
    session.abort(new Error('gone'));
    session.abort(new Error('again'));
    expect((await session.closed).outcome).toBe('aborted');
    await Promise.resolve();
    expect(reconstructions.opened[0]?.isAborted).toBe(true);
    expect(sink.bytes.length).toBe(before);
  });

  it('lets go of a readout that waits', async () => {
    const session = new Session({ id: 'test', reconstructions: { open: () => new Promise(() => undefined) }, answer: new WireAnswer(new MemorySink()) });
    const wait = session.write(scan());
    session.abort(new Error('gone'));
    await expect(wait).resolves.toBeUndefined();
  });
});

describe('remarks', () => {
  it('of one kind are counted after the first sixteen', async () => {
    const { texts } = await play([config(), header(), ...Array.from({ length: 50 }, ndarray), close()]);
    expect(texts.filter((line) => line.includes('CONUS_WARN_MESSAGE_IGNORED:'))).toHaveLength(16);
    expect(texts).toContainEqual(expect.stringMatching(/CONUS_WARN_MORE_REMARKS: 34 more of CONUS_WARN_MESSAGE_IGNORED/));
  });
});

describe('whatever is sent', () => {
  const message = fc.oneof(
    fc.constantFrom('default', 'null', 'simplefft', 'gtquery.xml', 'nonesuch', 'savedataonly').map(config),
    fc.constantFrom('grappa', '{"chain":"null"}', '{', '<a/>').map(configText),
    fc.constantFrom(headerXml(), 'no XML', '').map(header),
    fc.constantFrom('hello', '{"parameters":{"combine":"rss"}}', '{"parameters":{"combine":1}}', '{}', '{').map(text),
    fc.constantFrom('gadgetron::version', 'x').map(query),
    fc.integer({ min: 0, max: 15 }).map((line) => acquisition(line)),
    fc.constant(acquisition(15, {}, 'lastInSlice')),
    fc.constant(acquisition(3, { nCoils: 2 })),
    fc.constant(concat(encodeAcquisition({ header: acquisitionHeader(0, { nSamples: 0, nCoils: 0 }), trajectory: new Float32Array(0), data: new Float32Array(0) }))),
    fc.constant(image()),
    fc.constant(waveform()),
    fc.constant(ndarray()),
    fc.constant(concat(encodeResponse(1n, 'x'))),
    fc.constant(concat(encodeDependency('<a/>'))),
    fc.constant(close()),
    fc.uint8Array({ maxLength: 12 }),
  );
  const prefix = fc.constantFrom<Uint8Array[]>([], [config()], [config(), header()], [config(), header(), ...lines()]);

  it('the answer is messages that every client knows, and ends with exactly one CLOSE', async () => {
    const known = ['text', 'close', 'response', 'dicom', 'dependency', 'image'];
    await fc.assert(
      fc.asyncProperty(prefix, fc.array(message, { maxLength: 12 }), fc.nat(), fc.integer({ min: 1, max: 4 }), async (first, then, lost, room) => {
        const stream = concat([...first, ...then]);
        const sent = stream.subarray(0, Math.max(0, stream.length - (lost % 50)));
        const { messages, texts, summary } = await play([sent], { room, nCoils: 4 });
        expect(messages.filter(({ kind }) => kind === 'close')).toHaveLength(1);
        expect(messages.at(-1)).toEqual({ kind: 'close' });
        expect(messages.filter(({ kind }) => !known.includes(kind))).toEqual([]);
        expect(texts.filter((line) => line.trim() === '')).toEqual([]);
        expect(summary.outcome).not.toBe('aborted');
        expect(texts.some((line) => line.startsWith('ERR '))).toBe(summary.outcome === 'failed');
      }),
      { numRuns: 300 },
    );
  });
});
