import { setImmediate } from 'node:timers/promises';
import { CodedError, encodeClose, encodeConfigFile, encodeHeader } from 'ismrmrd';
import { describe, expect, it } from 'vitest';
import { MemoryTable, PictureStore, pictureOf } from '../../../src/exams/index.js';
import type { ExamEvent, ExamRecord, ReadingFacts } from '../../../src/exams/index.js';
import { play } from '../fakes.js';
import { concat, headerXml, lines, scan as mrdScan } from '../streams.js';
import { kept, reconImage } from './kept.js';
import { begin, facts, minute, protocol, scan } from './scenes.js';

const withPatient = headerXml().replace(
  '<acquisitionSystemInformation>',
  '<subjectInformation><patientName>Doe^Jane</patientName><patientID>4711</patientID></subjectInformation><acquisitionSystemInformation>',
);

describe('sessions', () => {
  it('become series of an exam, with their patient in the record and nowhere in the log', async () => {
    const { keeper, log } = kept({ protocols: [] });
    const stream = concat([...encodeConfigFile('default'), ...encodeHeader(withPatient), ...lines(), ...encodeClose()]);
    await play([stream], {}, { id: 's1', observer: keeper.observe('s1') });
    await play([stream.slice(0, stream.length - 200)], {}, { id: 's2', observer: keeper.observe('s2') });
    keeper.apply({ kind: 'tick', at: Date.now() });
    const [exam] = keeper.book.exams;
    expect(exam).toMatchObject({ patient: { name: 'Doe^Jane', id: '4711' } });
    expect(keeper.book.exams).toHaveLength(1);
    const [whole, cut] = exam!.series;
    expect(whole).toMatchObject({ state: 'complete', outputs: [{ kind: 'image', nImages: 1 }] });
    expect(whole!.lines!.nAcquired).toBe(whole!.lines!.nExpected);
    expect(cut).toMatchObject({ state: 'failed', reason: { code: 'MRD_ERR_TRUNCATED_MESSAGE' } });
    expect(log.join('') + JSON.stringify([exam!.series, exam!.promises, exam!.actions, exam!.remarks])).not.toMatch(/Doe|4711/);
  });

  it('that ask only or bring no data are none', async () => {
    const { keeper } = kept();
    await play([concat([...encodeConfigFile('default'), ...encodeHeader(headerXml()), ...encodeClose()])], {}, { observer: keeper.observe('s1') });
    await play([concat([...encodeConfigFile('gtquery.xml'), ...encodeClose()])], {}, { observer: keeper.observe('s2') });
    expect(keeper.book.exams).toEqual([]);
  });

  it('keep their pictures, as long as there is room', async () => {
    const { keeper } = kept({ protocols: [] });
    await play([mrdScan()], {}, { id: 's1', observer: keeper.observe('s1') });
    const [exam] = keeper.book.exams;
    const { id } = exam!.series[0]!;
    const { pictures, nMade } = keeper.recentPictures(exam!.id, id);
    expect(pictures).toMatchObject([{ output: 'image', number: 1, rows: 4, columns: 4, slice: 0, unit: "[arb'U]" }]);
    expect([nMade('image'), nMade('denoised')]).toEqual([1, 0]);
    expect(() => keeper.recentPictures(exam!.id, 'x')).toThrow('CONUS_ERR_SERIES_UNKNOWN');
    expect(() => keeper.recentPictures('x', id)).toThrow('CONUS_ERR_EXAM_UNKNOWN');
  });
});

describe('pictures', () => {
  it('are magnitudes, bounded in bytes, the oldest left out first, and one that is made anew replaces itself', () => {
    const store = new PictureStore(3 * 4 * 24);
    for (let number = 1; number <= 5; number++) store.put('s', pictureOf(number, reconImage(number)));
    store.put('s', pictureOf(4, reconImage(4, 3)));
    expect(store.ofSession('s').map(({ number }) => number).sort()).toEqual([3, 4, 5]);
    expect(store.nBytes).toBe(3 * 4 * 24);
    const values = store.get('s', 'image', 4)!.values;
    expect(values[0]).toBeCloseTo(3, 5);
    expect(values[5]).toBe(1);
  });
});

describe('exams', () => {
  it('are there after a restart; what ran then has failed and says why', () => {
    const table = new MemoryTable<ExamRecord>();
    const first = kept({ table });
    [...scan('a', facts('T1w'), begin), ...scan('b', facts('T2w'), begin).slice(0, 3)].forEach((event) => first.keeper.apply(event));
    first.keeper.apply({ kind: 'tick', at: begin + minute });
    const again = kept({ table, now: () => begin + 2 * minute });
    again.keeper.start();
    const [exam] = again.keeper.book.exams;
    expect(exam).toMatchObject({ id: first.keeper.book.exams[0]!.id, series: [{ role: 't1w', state: 'complete' }, { role: 't2w', state: 'failed', reason: { code: 'CONUS_ERR_EXAM_RESTARTED' } }] });
    scan('c', facts('STIR'), begin + 3 * minute).forEach((event) => again.keeper.apply(event));
    expect(again.keeper.book.exams).toHaveLength(1);
  });

  it('are kept at once where their state changes, and at the end in any case', async () => {
    const { keeper, table } = kept();
    const [opened, progress] = scan('a', facts('T1w'), begin);
    const lines = () => Object.values(Object.values([...table.range()][0]!.value.series)[0]!.runs)[0]!.nLines;
    keeper.apply(opened!);
    expect(lines()).toBe(0);
    keeper.apply(progress!);
    expect(lines()).toBe(0);
    await keeper.close();
    expect(lines()).toBe(40);
  });

  it('are in trouble when they cannot be kept', async () => {
    let isFull = true;
    const { keeper } = kept({ flushed: () => (isFull ? Promise.reject(new Error('disk')) : Promise.resolve()) });
    keeper.apply(scan('a', facts('T1w'), begin)[0]!);
    await setImmediate();
    expect(keeper.trouble()).toBe('exams cannot be kept');
    isFull = false;
    keeper.apply(scan('b', facts('T2w'), begin)[0]!);
    await setImmediate();
    expect(keeper.trouble()).toBeUndefined();
  });
});

describe('settings', () => {
  const bounded = { ...protocol({ operator: { denoisePercent: { least: 20, most: 50 } }, synthesise: [{ contrast: 'stir', fromSeries: ['sag-t1w'], optional: false }] }), name: 'bounded' };
  const open = protocol({ synthesise: [{ contrast: 'stir', fromSeries: ['sag-t1w', 'sag-t2w'] }, { contrast: 't2fs', fromSeries: ['sag-t1w'] }] });
  const by = 'Ann';

  it('are kept, told once where nothing changes, and there after a restart', async () => {
    const { keeper, table, log } = kept({ protocols: [open, bounded], protocol: 'example' });
    keeper.apply(scan('s1', facts('T1w sag'), begin)[0]!);
    const { id } = keeper.book.exams[0]!;
    const asked = { by, protocol: 'bounded', denoisePercent: 50 };
    expect(await keeper.changeSettings(id, asked)).toMatchObject({ protocol: { name: 'bounded' }, settings: { denoisePercent: 50 } });
    const { sequence } = keeper.book;
    expect((await keeper.changeSettings(id, asked)).settings.changes).toHaveLength(2);
    expect(keeper.book.sequence).toBe(sequence);
    await keeper.close();
    const again = kept({ table, protocols: [open, bounded], protocol: 'example' }).keeper;
    expect(again.exam(id)).toMatchObject({ protocol: { name: 'bounded' }, settings: { denoisePercent: 50, changes: [{ by, what: 'protocol' }, { by, what: 'denoisePercent', from: null, to: 50 }] } });
    expect(log.join('')).not.toContain(by);
  });

  it.each<[string, string, object]>([
    ['a protocol that there is not', 'CONUS_ERR_SETTING_PROTOCOL', { protocol: 'nonesuch' }],
    ['more than the protocol allows', 'CONUS_ERR_SETTING_STRENGTH', { protocol: 'bounded', denoisePercent: 51 }],
    ['less than the protocol allows', 'CONUS_ERR_SETTING_STRENGTH', { protocol: 'bounded', denoisePercent: 0 }],
    ['a synthesis that the protocol must have', 'CONUS_ERR_SETTING_SYNTHESIS', { protocol: 'bounded', syntheses: { 'syn-stir': false } }],
    ['a synthesis of another protocol', 'CONUS_ERR_SETTING_SYNTHESIS', { syntheses: { 'syn-pdfs': false } }],
    ['a synthesis that has begun', 'CONUS_ERR_SETTING_BEGUN', { syntheses: { 'syn-t2fs': false } }],
  ])('refuse %s with %s, and nothing of the request is done', async (_what, code, request) => {
    const { keeper } = kept({ protocols: [open, bounded], protocol: 'example' });
    for (const event of scan('s1', facts('T1w sag'), begin)) keeper.apply(event);
    const { id } = keeper.book.exams[0]!;
    await expect(keeper.changeSettings(id, { by, ...request })).rejects.toThrow(code);
    expect(keeper.exam(id)).toMatchObject({ protocol: { name: 'example' }, settings: { changes: [] } });
  });

  it('refuse another strength than the command line fixes, and an exam that there is not', async () => {
    const { keeper } = kept({ fixedDenoisePercent: 0 });
    keeper.apply(scan('s1', facts('T1w sag'), begin)[0]!);
    const { id } = keeper.book.exams[0]!;
    await expect(keeper.changeSettings(id, { by, denoisePercent: 30 })).rejects.toThrow(/CONUS_ERR_SETTING_STRENGTH: got 30 % where 0 to 0 % are allowed/);
    await expect(keeper.changeSettings('nobody', { by, denoisePercent: 30 })).rejects.toThrow('CONUS_ERR_EXAM_UNKNOWN');
  });
});

describe('jobs', () => {
  const rules = protocol({ synthesise: [{ contrast: 'ct', fromSeries: ['sag-t1w'] }], analyse: [{ task: 'grades', fromSeries: ['sag-t1w'] }] });
  const t1 = scan('a', facts('T1w'), begin);
  const settled = async () => {
    for (let i = 0; i < 5; i++) await setImmediate();
  };
  const states = (keeper: ReturnType<typeof kept>['keeper']) =>
    Object.fromEntries(keeper.book.exams[0]!.actions.map(({ kind, state, reason }) => [kind, [state, reason?.code]]));

  it('are done by whoever does them; without anybody that is said', async () => {
    const { keeper } = kept({ protocols: [rules] });
    const asked: string[][] = [];
    keeper.handle('analyse', async ({ seriesIds }) => void asked.push([...seriesIds]));
    t1.forEach((event) => keeper.apply(event));
    await settled();
    expect(states(keeper)).toEqual({ synthesise: ['notAvailable', 'CONUS_ERR_EXAM_NO_HANDLER'], analyse: ['done', undefined] });
    expect(asked).toEqual([[keeper.book.exams[0]!.series[0]!.id]]);
  });

  it('that fail say why by their code, and a fault without one says nothing of what it was about', async () => {
    const { keeper, log } = kept({ protocols: [rules] });
    keeper.handle('analyse', () => Promise.reject(new CodedError('ANALYSIS_ERR_X', 'x', { expected: 'y', action: 'z' })));
    keeper.handle('synthesise', () => Promise.reject(new Error('Doe^Jane')));
    t1.forEach((event) => keeper.apply(event));
    await settled();
    expect(states(keeper)).toEqual({ synthesise: ['failed', 'CONUS_ERR_EXAM_ACTION'], analyse: ['failed', 'ANALYSIS_ERR_X'] });
    expect(log.join('') + JSON.stringify(keeper.book.exams[0]!.actions)).not.toContain('Doe');
  });

  it('that analyse wait until it is settled whether what is synthesised from their series comes', async () => {
    const { keeper } = kept({ protocols: [rules] });
    const asked: string[][] = [];
    let give: () => void = () => undefined;
    keeper.handle('analyse', async ({ seriesIds }) => void asked.push([...seriesIds]));
    keeper.handle('synthesise', ({ examId }) =>
      new Promise((resolve) => {
        give = () => {
          keeper.apply({ kind: 'synthesised', at: begin + 100, examId, series: { id: 'syn-ct', contrast: 'ct', description: 'SYN CT', isSimulated: false, outputs: { image: 1 }, light: 'green', reasons: [] } });
          resolve();
        };
      }));
    t1.forEach((event) => keeper.apply(event));
    await settled();
    expect(asked).toEqual([]);
    give();
    await settled();
    const { series } = keeper.book.exams[0]!;
    expect(asked).toEqual([[series.find(({ source }) => source === 'scan')!.id, series.find(({ source }) => source === 'synthesis')!.id]]);
  });

  it('that analyse leave what they found with the exam, and the most pressing priority counts', async () => {
    const { keeper } = kept({ protocols: [rules] });
    t1.forEach((event) => keeper.apply(event));
    const examId = keeper.book.exams[0]!.id;
    const analysed = (offerId: string, level: 'routine' | 'soon' | 'urgent', at: number) =>
      keeper.apply({ kind: 'analysed', at, examId, analysis: { offerId, stage: 'Conus', tasks: ['grades'], results: ['report'], priority: { level, reason: `${level} of ${offerId}` } } });
    analysed('a', 'urgent', begin + 100);
    analysed('b', 'routine', begin + 200);
    // The first outcome of an offer stands.
    analysed('a', 'soon', begin + 300);
    const { analyses, priority } = keeper.book.exams[0]!;
    expect(analyses.map(({ offerId, priority: own }) => [offerId, own?.level])).toEqual([['a', 'urgent'], ['b', 'routine']]);
    expect(priority).toEqual({ level: 'urgent', reason: 'urgent of a' });
  });

  it('that analyse are read: how far a reader is does not depend on the order in which it is told, and a later analysis is a new draft', () => {
    const said: ReadingFacts[] = [
      { offerId: 'a', revision: 1, state: 'changed', by: 'A', at: begin + 200 },
      { offerId: 'a', revision: 1, state: 'confirmed', by: 'B', at: begin + 300, delivery: 'queued' },
      { offerId: 'a', revision: 1, state: 'confirmed', by: 'B', at: begin + 300, delivery: 'delivered', priority: { level: 'routine', reason: 'nothing' } },
    ];
    const analysis = (offerId: string, at: number): ExamEvent => ({ kind: 'analysed', at, examId: '', analysis: { offerId, stage: 'Conus', tasks: ['grades'], results: ['report'], priority: { level: 'urgent', reason: 'by computation' } } });
    for (const order of [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]]) {
      const { keeper } = kept({ protocols: [rules] });
      t1.forEach((event) => keeper.apply(event));
      const examId = keeper.book.exams[0]!.id;
      const reading = () => keeper.book.exams[0]!.reading;
      expect(reading()).toBeUndefined();
      keeper.apply({ ...analysis('a', begin + 100), examId } as ExamEvent);
      expect(reading()).toEqual({ state: 'draft', revision: 0, at: begin + 100 });
      expect(keeper.book.exams[0]!.priority?.level).toBe('urgent');
      for (const index of order) keeper.apply({ kind: 'read', at: begin + 400, examId, reading: said[index]! });
      expect(reading()).toEqual({ state: 'confirmed', revision: 1, at: begin + 300, by: 'B', delivery: 'delivered' });
      // What the reader took back presses nobody any more.
      expect(keeper.book.exams[0]!.priority?.level).toBe('routine');
      keeper.apply({ ...analysis('b', begin + 500), examId } as ExamEvent);
      expect(reading()).toEqual({ state: 'draft', revision: 0, at: begin + 500, earlier: { state: 'confirmed', at: begin + 300, by: 'B' } });
    }
  });

  it('that a restart cut are done then', async () => {
    const table = new MemoryTable<ExamRecord>();
    const before = kept({ table, protocols: [rules] });
    before.keeper.handle('analyse', () => new Promise(() => undefined));
    t1.forEach((event) => before.keeper.apply(event));
    await settled();
    expect(states(before.keeper)['analyse']).toEqual(['running', undefined]);
    const after = kept({ table, protocols: [rules] });
    let nDone = 0;
    after.keeper.handle('analyse', async () => void nDone++);
    after.keeper.start();
    await settled();
    expect([states(after.keeper)['analyse'], nDone]).toEqual([['done', undefined], 1]);
  });
});
