/** What the operator sees of an exam and changes of it, as logic without a page. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExamView, PromiseView, ProtocolSummary, SeriesView } from '../../console/api/types.js';
import { explained, isAbsent, isPressing, promiseStanding, timelineOf, withNames } from '../../console/exams/promiseWords.js';
import { denoisingWords, destinationsOf, factWords, remarkCount } from '../../console/exams/seriesWords.js';
import { byRegion, changeWords, draftOf, minutesWords, requestOf, savedOf, strengthOf, switchesOf, withProtocol } from '../../console/exams/settings.js';

const begin = 1_000_000;
const minute = 60_000;
const noSettings = { syntheses: {}, changes: [] };
const promise = (id: string, more: Partial<PromiseView> = {}): PromiseView => ({
  id, origin: 'scanned', role: 't1w', description: `${id} described`, state: 'awaited', reason: { code: 'CONUS_INFO_EXAM_AWAITED', text: 'its turn is over 5 min after the begin of the exam; nothing yet' }, ...more,
});
const series = (id: string, more: Partial<SeriesView> = {}): SeriesView => ({
  id, source: 'scan', candidates: [], state: 'complete', openedAt: begin, endedAt: begin + 2 * minute, outputs: [], nAttempts: 1, remarks: [], deliveries: [], facts: {}, ...more,
});
const exam = (more: Partial<ExamView> = {}): ExamView => ({
  id: 'e', formerIds: [], state: 'active', openedAt: begin, lastActivityAt: begin, patient: {}, study: {}, protocolCandidates: [], remarks: [], settings: noSettings, analyses: [], series: [], promises: [], actions: [], ...more,
});
const protocol = (more: Partial<ProtocolSummary> = {}): ProtocolSummary => ({
  name: 'fast', title: 'Lumbar, fast', region: 'lumbar', fieldStrengthT: 1.5, minutes: 6, basedOn: 'standard', basedOnMinutes: 10, series: [],
  syntheses: [{ id: 'syn-stir', contrast: 'stir', description: 'SYN STIR sag', fromSeries: [], optional: true }, { id: 'syn-t2fs', contrast: 't2fs', description: 'SYN T2FS', fromSeries: [], optional: false }],
  operator: { denoisePercent: { least: 20, most: 80, standard: 75 } }, ...more,
});

describe('settings', () => {
  it('ask for what differs, and for nothing where nothing does', () => {
    const held = exam({ settings: { denoisePercent: 40, syntheses: { 'syn-stir': false }, changes: [] } });
    expect(requestOf(draftOf(held), held)).toBeUndefined();
    expect(requestOf({ ...draftOf(held), denoisePercent: null }, held)).toEqual({ denoisePercent: null });
    expect(requestOf({ protocol: 'fast', denoisePercent: 40, syntheses: { 'syn-stir': true, 'syn-t2fs': true } }, held)).toEqual({ protocol: 'fast', syntheses: { 'syn-stir': true } });
  });

  it('never ask for a strength that the protocol refuses', () => {
    fc.assert(fc.property(fc.option(fc.integer({ min: 0, max: 100 })), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 }), (chosen, a, b) => {
      const [least, most] = [Math.min(a, b), Math.max(a, b)];
      const other = protocol({ operator: { denoisePercent: { least, most, standard: 75 } } });
      const { denoisePercent } = withProtocol({ protocol: null, denoisePercent: chosen, syntheses: {} }, 'fast', other);
      if (chosen === null) expect(denoisePercent).toBeNull();
      else expect(denoisePercent! >= least && denoisePercent! <= most && (chosen < least || chosen > most || denoisePercent === chosen)).toBe(true);
    }));
  });

  it('leave switches behind that the other protocol does not have', () => {
    const draft = { protocol: null, denoisePercent: null, syntheses: { 'syn-stir': false, 'syn-ct': false } };
    expect(withProtocol(draft, 'fast', protocol()).syntheses).toEqual({ 'syn-stir': false });
    expect(withProtocol(draft, null, undefined).syntheses).toEqual({});
  });

  it('tell the limits, and that there is nothing to choose', () => {
    expect(strengthOf(protocol())).toEqual({ least: 20, most: 80, standard: 75, isFixed: false });
    expect(strengthOf(protocol({ operator: { denoisePercent: { least: 0, most: 0, standard: 0 } } })).isFixed).toBe(true);
    expect(strengthOf(undefined)).toEqual({ least: 0, most: 100, standard: undefined, isFixed: false });
  });

  it('lock syntheses that have begun or must be, and say why', () => {
    const draft = { protocol: null, denoisePercent: null, syntheses: { 'syn-stir': false, 'syn-t2fs': false } };
    const at = (state: ExamView['actions'][number]['state']) => exam({ actions: [{ id: 'synthesise/syn-stir', kind: 'synthesise', what: 'stir', series: [], state }] });
    expect(switchesOf(protocol(), draft, at('waiting'))).toMatchObject([{ id: 'syn-stir', isOn: false, lock: undefined }, { id: 'syn-t2fs', isOn: true, lock: 'the protocol asks for it in any case' }]);
    expect(switchesOf(protocol(), draft, at('notAvailable'))[0]).toMatchObject({ isOn: false, lock: undefined });
    for (const state of ['offered', 'running', 'done', 'failed'] as const) expect(switchesOf(protocol(), draft, at(state))[0]).toMatchObject({ isOn: true, lock: expect.any(String) as string });
    expect(switchesOf(undefined, draft, exam())).toEqual([]);
  });

  it('say what a protocol saves, where each is, and what was changed', () => {
    expect(savedOf(protocol())).toEqual({ minutes: 4, percent: 40 });
    expect([savedOf(protocol({ basedOnMinutes: undefined })), savedOf(protocol({ basedOnMinutes: 6 }))]).toEqual([undefined, undefined]);
    expect([minutesWords(8.333), minutesWords(0.99), minutesWords(9.999)]).toEqual(['8:20 min', '0:59 min', '10:00 min']);
    const neck = protocol({ name: 'neck', region: 'cervical' });
    expect(byRegion([neck, protocol()], 'lumbar').map(([region, some]) => [region, some.map(({ name }) => name)])).toEqual([['lumbar', ['fast']], ['cervical', ['neck']]]);
    const change = { at: begin, by: 'Ann' };
    expect(changeWords({ ...change, what: 'denoisePercent', from: null, to: 60 }, [])).toBe('strength of denoising: not chosen → 60 %');
    expect(changeWords({ ...change, what: 'protocol', from: 'fast', to: null }, [protocol()])).toBe('protocol: Lumbar, fast → as recognised');
    expect(changeWords({ ...change, what: 'syntheses.syn-stir', from: true, to: false }, [protocol()])).toBe('SYN STIR sag: on → off');
    expect(changeWords({ ...change, what: 'syntheses.syn-x', from: true, to: false }, [])).toBe('syn-x: on → off');
  });
});

describe('promises', () => {
  it('are asked after where they did not come; what is switched off presses nobody', () => {
    const off = promise('x', { state: 'notAvailable', reason: { code: 'CONUS_INFO_EXAM_SWITCHED_OFF', text: 'Ann switched it off' } });
    expect(promiseStanding(off)).toEqual(['wait', 'switched off']);
    expect([isAbsent(off), isPressing(off)]).toEqual([true, false]);
    expect((['awaited', 'late', 'missing', 'underway', 'came', 'failed', 'notAvailable'] as const).map((state) => [isAbsent({ state }), isPressing(promise('x', { state }))])).toEqual([
      [true, false], [true, true], [true, true], [false, false], [false, false], [true, true], [true, true],
    ]);
  });

  it('are explained: what is, what was expected, what to do', () => {
    const meaning = { code: 'C', expected: 'the series by the end of its turn', action: 'ask at the scanner; then wait' };
    const parts = { expected: meaning.expected, toDo: meaning.action };
    expect(explained({ code: 'C', text: `12 min after its turn; no series has come; ${meaning.action}` }, meaning)).toEqual({ why: '12 min after its turn; no series has come', ...parts });
    expect(explained({ code: 'C', text: `got a red light: a; b; expected ${meaning.expected}; ${meaning.action}` }, meaning)).toEqual({ why: 'a red light: a; b', ...parts });
    expect(explained({ code: 'C', text: `expected ${meaning.expected}; ${meaning.action}` }, meaning)).toEqual({ why: '', ...parts });
    expect(explained({ code: 'C', text: 'scanning' }, undefined)).toEqual({ why: 'scanning', expected: undefined, toDo: undefined });
  });

  it('are called by their names', () => {
    const promises = [promise('sag-t1w', { description: 'T1w TSE sag' }), promise('sag-t1w-2', { description: 'T1w again' })];
    expect(withNames('it waits for sag-t1w, which is late; for sag-t1w-2', promises)).toBe('it waits for T1w TSE sag, which is late; for T1w again');
    expect(withNames('nothing of an sag', promises)).toBe('nothing of an sag');
  });

  it('lie along the time of the exam', () => {
    const promises = [
      promise('a', { state: 'came', seriesId: 's1', dueAt: begin + 4 * minute }),
      promise('b', { state: 'late', dueAt: begin + 10 * minute }),
      promise('c', { dueAt: begin + 20 * minute }),
      promise('syn', { origin: 'synthesised' }),
    ];
    const one = exam({ promises, series: [series('s1')], lastActivityAt: begin + 2 * minute });
    const { rows, now, endAt } = timelineOf(one, begin + 15 * minute);
    expect([endAt, now]).toEqual([begin + 20 * minute, 0.75]);
    expect(rows.map(({ turn, came, overdue }) => ({ turn, came, overdue }))).toEqual([
      { turn: [0, 0.2], came: [0, 0.1], overdue: undefined },
      { turn: [0.2, 0.5], came: undefined, overdue: [0.5, 0.75] },
      { turn: [0.5, 1], came: undefined, overdue: undefined },
      { turn: undefined, came: undefined, overdue: undefined },
    ]);
    // What is over is not stretched by the time since.
    expect(timelineOf({ ...one, state: 'incomplete' }, begin + 5000 * minute)).toMatchObject({ endAt: begin + 20 * minute, now: undefined });
  });
});

describe('a series', () => {
  it('says how strongly it was denoised, and who said so', () => {
    const words = (percent: number, origin: NonNullable<SeriesView['denoising']>['origin'], source: string) => denoisingWords({ denoising: { percent, origin, source } });
    expect(words(60, 'operator', 'console, Ann at the desk at 2026-01-02T03:04:05.000Z')).toBe('Denoising at 60 %, chosen here by Ann at the desk');
    expect(words(20, 'operator', '--set denoise')).toBe('Denoising at 20 %, by the command line of the service');
    expect(words(0, 'client', 'TEXT message')).toBe('Not denoised, as the scanner asked');
    expect(words(75, 'default', 'models')).toBe('Denoising at 75 %, as this service does by itself');
    expect(denoisingWords({})).toBeUndefined();
  });

  it('tells its facts, its destinations and its remarks', () => {
    expect(factWords({ role: 't2w', facts: { orientation: 'sagittal', trMs: 3500, teMs: 100, acceleration: 2 } })).toBe('T2w · sagittal · TR 3500 ms · TE 100 ms · R = 2');
    expect(factWords({ facts: { acceleration: 1 } })).toBe('');
    const job = (destination: string, state: 'queued' | 'delivered' | 'dead') => ({ jobId: `${destination}${state}`, destination, state, at: begin, ...(state === 'dead' && { reason: { code: 'C', text: 'refused' } }) });
    expect(destinationsOf([job('pacs', 'delivered'), job('pacs', 'queued'), job('disk', 'delivered'), job('far', 'dead'), job('near', 'queued')])).toEqual([
      { destination: 'pacs', standing: 'busy', words: '1 of 2 parts delivered', reasons: [] }, { destination: 'disk', standing: 'good', words: 'delivered', reasons: [] },
      { destination: 'far', standing: 'bad', words: 'given up', reasons: ['refused'] }, { destination: 'near', standing: 'busy', words: 'waiting to be delivered', reasons: [] },
    ]);
    expect([remarkCount(['A_WARN_B', 'A_INFO_B', 'A_INFO_C']), remarkCount(['A_WARN_B'])]).toEqual(['1 warning, 2 notes', '1 warning']);
  });
});
