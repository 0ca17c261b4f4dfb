import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChange } from '../../../src/exams/index.js';
import type { ExamBook, ExamEvent, ExamsById, ExamView, Job } from '../../../src/exams/index.js';
import { begin, book, facts, minute, protocol, received, scan, tell } from './scenes.js';

const lead = (exam: ExamView | undefined) => exam?.promises.map(({ id, state }) => `${id} ${state}`);
const only = (of: ExamBook): ExamView => {
  expect(of.exams).toHaveLength(1);
  return of.exams[0]!;
};

describe('a series', () => {
  it('goes from scanning over reconstructing to complete, and says how far it is', () => {
    const one = book();
    const events = scan('s1', facts('T1w sag'), begin);
    const states = events.map((event) => {
      one.apply(event);
      const { state, lines, outputs } = only(one).series[0]!;
      return [state, lines?.nAcquired, outputs[0]?.nImages];
    });
    expect(states).toEqual([
      ['scanning', 0, undefined], ['scanning', 40, undefined], ['scanning', 100, undefined], ['scanning', 100, 1],
      ['reconstructing', 100, 1], ['reconstructing', 100, 3], ['complete', 100, 3],
    ]);
    expect(only(one).series[0]).toMatchObject({ role: 't1w', protocolSeries: 'sag-t1w', lines: { nExpected: 100 }, remarks: ['RECON_INFO_X'], facts: { orientation: 'sagittal' } });
  });

  it('that fails says why; sent again it is the same series, and complete stays complete', () => {
    const one = book();
    const source = facts('T1w sag', { measurementId: 'm1' });
    tell(one, [
      ...scan('s1', source, begin).slice(0, 3),
      { kind: 'sessionFailed', at: begin + 9000, sessionId: 's1', code: 'MRD_ERR_TRUNCATED_MESSAGE', text: 'cut off', remarks: [] },
    ]);
    expect(only(one).series[0]).toMatchObject({ state: 'failed', reason: { code: 'MRD_ERR_TRUNCATED_MESSAGE' } });
    tell(one, scan('s2', source, begin + minute));
    expect(only(one).series).toMatchObject([{ state: 'complete', nAttempts: 2 }]);
    tell(one, [{ kind: 'sessionOpened', at: begin + 3 * minute, sessionId: 's3', facts: source }]);
    expect(only(one).series).toMatchObject([{ state: 'complete', nAttempts: 3 }]);
  });

  it('of which no image came has failed', () => {
    const one = book();
    tell(one, scan('s1', facts('T1w sag'), begin).filter(({ kind }) => kind !== 'seriesImage'));
    expect(only(one).series[0]).toMatchObject({ state: 'failed', reason: { code: 'CONUS_ERR_EXAM_NO_IMAGES' } });
  });

  it('is as good as its worst image', () => {
    const one = book();
    tell(one, [{ kind: 'sessionOpened', at: begin, sessionId: 's', facts: facts('T1w') }]);
    for (const [nImages, light] of [[1, 'green'], [2, 'red'], [3, 'amber']] as const) {
      tell(one, [{ kind: 'seriesImage', at: begin, sessionId: 's', output: 'denoised', nImages, light }]);
    }
    expect(only(one).series[0]!.outputs).toEqual([{ kind: 'denoised', nImages: 3, nExpected: 3, light: 'red' }]);
  });

  it('is delivered when it has reached every destination', () => {
    const one = book();
    tell(one, scan('s1', facts('T1w sag'), begin));
    const { id: examId, series } = only(one);
    const report = (destination: string, state: 'queued' | 'delivered' | 'dead', at: number): ExamEvent => ({ kind: 'delivered', at, examId, seriesId: series[0]!.id, jobId: `job ${destination}`, destination, state });
    tell(one, [report('pacs', 'queued', begin), report('viewer', 'queued', begin), report('pacs', 'delivered', begin + 5)]);
    expect(only(one).series[0]!.state).toBe('complete');
    tell(one, [report('viewer', 'delivered', begin + 9), report('viewer', 'queued', begin + 8)]);
    expect(only(one).series[0]!.state).toBe('delivered');
  });
});

describe('which exam a source belongs to', () => {
  const without = { studyInstanceUid: undefined } as unknown as { studyInstanceUid: string };
  const examsOf = (...sources: [source: ReturnType<typeof facts>, at?: number][]) => {
    const one = book();
    sources.forEach(([source, at = begin], index) => tell(one, scan(`s${index}`, source, at)));
    return one.exams.length;
  };

  it.each<[string, number, number]>([
    ['scans of one study', 1, examsOf([facts('T1w')], [facts('T2w')])],
    ['scans of one study, a day apart', 1, examsOf([facts('T1w')], [facts('T2w'), begin + 1440 * minute])],
    ['scans of two studies', 2, examsOf([facts('T1w')], [facts('T2w', { studyInstanceUid: '9.9' })])],
    ['one patient without studies', 1, examsOf([facts('T1w', without)], [facts('T2w', without), begin + 30 * minute])],
    ['one patient, hours apart', 2, examsOf([facts('T1w', without)], [facts('T2w', without), begin + 600 * minute])],
    ['two patients', 2, examsOf([facts('T1w', without)], [facts('T2w', { ...without, patient: { id: 'P2' } })])],
    ['the same number for two patients', 2, examsOf([facts('T1w', { ...without, measurementId: '1' })], [facts('T2w', { ...without, measurementId: '1', patient: { id: 'P2' } })])],
    ['a scan that depends on another', 1, examsOf([facts('T1w', { ...without, patient: {}, measurementId: 'm1' })], [facts('T2w', { ...without, patient: {}, measurementId: 'm2', dependsOn: ['m1'] })])],
    ['one that another depends on', 1, examsOf([facts('T1w', { ...without, patient: {}, measurementId: 'm2', dependsOn: ['m1'] })], [facts('T2w', { ...without, patient: {}, measurementId: 'm1' })])],
    ['nobody in particular, twice', 2, examsOf([facts('T1w', { ...without, patient: {} })], [facts('T2w', { ...without, patient: {} })])],
    ['a patient, then their study', 1, examsOf([facts('T1w', without)], [facts('T2w')])],
  ])('%s: %i', (_what, expected, found) => expect(found).toBe(expected));

  it('makes two exams one when a source belongs to both, under the older id; the other still leads there', () => {
    const one = book();
    const changes = [
      ...tell(one, scan('a', facts('T1w', without), begin)),
      ...tell(one, scan('b', facts('T2w', { patient: {} }), begin + minute)),
    ];
    const [second, first] = one.exams.map(({ id }) => id);
    changes.push(...tell(one, scan('c', facts('STIR'), begin + 2 * minute)));
    expect(only(one)).toMatchObject({ id: first, formerIds: [second], series: [{ role: 't1w' }, { role: 't2w' }, { role: 'stir' }] });
    expect(one.exam(second!)?.id).toBe(first);
    expect(changes.filter(({ kind }) => kind === 'gone')).toMatchObject([{ examId: second, into: first }]);
  });

  it('says so when a study has two patients', () => {
    const one = book();
    tell(one, [...scan('a', facts('T1w'), begin), ...scan('b', facts('T2w', { patient: { id: 'P2' } }), begin)]);
    expect(only(one).remarks).toMatchObject([{ code: 'CONUS_WARN_EXAM_PATIENT' }]);
    expect(JSON.stringify(only(one).remarks)).not.toMatch(/P1|P2/);
  });
});

describe('promises', () => {
  it('are awaited, late, missing, and kept whenever the series comes', () => {
    const one = book();
    tell(one, [...scan('a', facts('T1w sag'), begin), ...scan('b', facts('T2w sag'), begin + 5 * minute)]);
    const [, , stir] = only(one).promises;
    const states = [stir!.dueAt!, stir!.lateAt!, stir!.missingAt!].map((at) => {
      tell(one, [{ kind: 'tick', at }]);
      return lead(only(one))![2];
    });
    expect(states).toEqual(['sag-stir awaited', 'sag-stir late', 'sag-stir missing']);
    expect(only(one)).toMatchObject({ state: 'incomplete', promises: [{}, {}, { reason: { code: 'CONUS_WARN_EXAM_MISSING', text: expect.stringContaining('60 min') as string } }] });
    tell(one, scan('c', facts('STIR'), stir!.missingAt! + minute));
    expect(lead(only(one))).toEqual(['sag-t1w came', 'sag-t2w came', 'sag-stir came']);
    expect(only(one).state).toBe('complete');
  });

  it('of what is synthesised tell why it is not there', () => {
    const fast = protocol({ synthesise: [{ contrast: 'ct', fromSeries: ['sag-t1w', 'sag-stir'] }] });
    const one = book({ protocols: [fast] });
    tell(one, scan('a', facts('T1w sag'), begin));
    const why = () => only(one).promises.at(-1)!;
    expect(why()).toMatchObject({ id: 'syn-ct', state: 'awaited', reason: { text: expect.stringContaining('sag-stir, which is still to come') as string } });
    tell(one, [{ kind: 'tick', at: begin + 600 * minute }]);
    expect(why()).toMatchObject({ state: 'missing', reason: { code: 'CONUS_WARN_EXAM_INPUT', text: expect.stringContaining('sag-stir, which is missing') as string } });
    const [job] = scan('c', facts('STIR'), begin + 601 * minute).flatMap((event) => [...one.apply(event).jobs]);
    expect(job).toMatchObject({ id: 'synthesise/syn-ct', request: { kind: 'synthesise' } });
    tell(one, [{ kind: 'jobChanged', at: begin + 602 * minute, examId: job!.examId, jobId: job!.id, state: 'notAvailable', code: 'CONUS_ERR_EXAM_NO_HANDLER', text: 'nobody synthesises' }]);
    expect(why()).toMatchObject({ state: 'notAvailable', reason: { code: 'CONUS_ERR_EXAM_NO_HANDLER' } });
    expect(only(one).state).toBe('incomplete');
  });

  it('are not missed where the protocol is not known, and a series that rules cannot tell apart says which it could be', () => {
    const standard = protocol();
    const one = book({ protocols: [standard, { ...standard, name: 'other', title: 'Another', series: standard.series.slice(0, 2) }] });
    tell(one, scan('a', facts('T1w sag'), begin));
    expect(only(one)).toMatchObject({ promises: [], protocolCandidates: ['example', 'other'], series: [{ role: 't1w' }] });
    tell(one, scan('b', facts('STIR'), begin + minute));
    expect(only(one).protocol?.name).toBe('example');
    const two = book();
    tell(two, scan('a', facts('T1 and T2 sag'), begin));
    expect(only(two).series[0]).toMatchObject({ candidates: ['sag-t1w', 'sag-t2w'] });
    expect(only(two).promises[0]).toMatchObject({ state: 'awaited', reason: { code: 'CONUS_WARN_EXAM_NOT_TOLD', text: expect.stringContaining('sag-t1w or sag-t2w') as string } });
  });

  it('are of the protocol that the study is named after, or that the site has fixed', () => {
    const short = { ...protocol(), name: 'short', title: 'Example', series: protocol().series.slice(0, 2) };
    for (const [options, description, expected] of [
      [{}, 'Spine: Example of three', 'example'], [{}, 'example', undefined], [{ protocol: 'short' }, 'Example of three', 'short'],
    ] as const) {
      const one = book({ protocols: [protocol(), short], ...options });
      tell(one, scan('a', facts('T1w sag', { studyDescription: description }), begin));
      // "example" is the name of one and the title of the other.
      expect(only(one).protocol?.name).toBe(expected);
    }
  });
});

describe('actions', () => {
  const rules = protocol({
    analyse: [{ task: 'grades', fromSeries: ['sag-t1w', 'sag-t2w'] }],
    whenComplete: [
      { series: ['sag-t2w', 'sag-t1w'], actions: [{ kind: 'deliver', destinations: ['pacs', 'viewer'] }, { kind: 'notify', message: 'pair complete' }] },
    ],
  });

  it('are asked for once, when all their series are complete, in the order of the rule', () => {
    const one = book({ protocols: [rules] });
    const t1 = scan('a', facts('T1w sag'), begin);
    const t2 = scan('b', facts('T2w sag'), begin);
    expect([...t1, ...t2.slice(0, -1)].flatMap((event) => [...one.apply(event).jobs])).toEqual([]);
    const { jobs, changes } = one.apply(t2.at(-1)!);
    expect(jobs.map(({ id }) => id)).toEqual(['deliver/example/0/0/pacs', 'deliver/example/0/0/viewer', 'analyse/grades']);
    const idOf = (role: string) => only(one).series.find((series) => series.role === role)!.id;
    expect(jobs[0]!.seriesIds).toEqual([idOf('t2w'), idOf('t1w')]);
    expect(changes.filter(({ kind }) => kind === 'notify')).toMatchObject([{ message: 'pair complete' }]);
    expect(one.apply(t2.at(-1)!).jobs).toEqual([]);
    expect(one.apply({ kind: 'tick', at: begin + minute }).jobs).toEqual([]);
  });

  it('that were not finished are offered again after a restart', () => {
    const one = book({ protocols: [rules] });
    const jobs = [...scan('a', facts('T1w'), begin), ...scan('b', facts('T2w'), begin)].flatMap((event) => [...one.apply(event).jobs]);
    const done: ExamEvent = { kind: 'jobChanged', at: begin, examId: jobs[0]!.examId, jobId: jobs[0]!.id, state: 'done' };
    const running: ExamEvent = { ...done, jobId: jobs[1]!.id, state: 'running' };
    tell(one, [done, running]);
    const again = book({ protocols: [rules] }, [one.record(jobs[0]!.examId)!], begin);
    expect(again.unfinishedJobs).toEqual(jobs.slice(1));
  });
});

describe('what the operator changes', () => {
  const synthesised = { ...protocol(), synthesise: protocol({ synthesise: [{ contrast: 'stir', fromSeries: ['sag-t1w', 'sag-t2w'] }, { contrast: 't2fs', fromSeries: ['sag-t1w', 'sag-t2w'], optional: false }] }).synthesise };
  const bounded = { ...protocol({ operator: { denoisePercent: { least: 20, most: 50 } } }), name: 'bounded' };
  const changed = (examId: string, what: string, to: string | number | boolean | null, at: number): ExamEvent => ({ kind: 'settingsChanged', at, examId, changes: [{ at, by: 'Ann', what, to }] });

  it('is told with all that went before, and taken back by null', () => {
    const one = book();
    tell(one, scan('s1', facts('T1w sag'), begin));
    const { id, settings } = only(one);
    expect(settings).toEqual({ syntheses: {}, changes: [] });
    const events = [changed(id, 'denoisePercent', 30, begin + 1), changed(id, 'protocol', 'example', begin + 2), changed(id, 'denoisePercent', null, begin + 3)];
    tell(one, [...events, events[0]!]);
    expect(only(one).settings).toEqual({
      protocol: 'example', syntheses: {},
      changes: [
        { at: begin + 1, by: 'Ann', what: 'denoisePercent', from: null, to: 30 },
        { at: begin + 2, by: 'Ann', what: 'protocol', from: null, to: 'example' },
        { at: begin + 3, by: 'Ann', what: 'denoisePercent', from: 30, to: null },
      ],
    });
  });

  it('makes the protocol the one of the exam, also over that of the site', () => {
    const one = book({ protocols: [protocol(), bounded], protocol: 'example' });
    tell(one, scan('s1', facts('T1w sag'), begin));
    const { id, protocol: before } = only(one);
    expect(before?.name).toBe('example');
    tell(one, [changed(id, 'protocol', 'bounded', begin + minute)]);
    expect(only(one).protocol?.name).toBe('bounded');
    tell(one, [changed(id, 'protocol', null, begin + 2 * minute)]);
    expect(only(one).protocol?.name).toBe('example');
  });

  it('holds for the next scan of the exam and of no other, within what the protocol allows', () => {
    const one = book({ protocols: [bounded] });
    tell(one, scan('s1', facts('T1w sag'), begin));
    const { id } = only(one);
    expect(one.ordersFor(facts('T2w sag'), begin + minute)).toMatchObject({ protocol: { name: 'bounded' }, series: { id: 'sag-t2w' } });
    expect(one.ordersFor(facts('T2w sag'), begin + minute).strength).toBeUndefined();
    tell(one, [changed(id, 'denoisePercent', 90, begin + minute)]);
    expect(one.ordersFor(facts('T2w sag'), begin + minute).strength).toEqual({ percent: 50, chosenPercent: 90, by: 'Ann', at: begin + minute });
    expect(one.ordersFor(facts('T2w sag', { studyInstanceUid: '9.9', patient: { id: 'P2' } }), begin + minute).strength).toBeUndefined();
    // Nothing was told to the book by asking.
    expect(only(one).series).toHaveLength(1);
  });

  it('is told with that of an exam that turned out to be the same', () => {
    const one = book();
    tell(one, [...scan('s1', { patient: {}, measurementId: 'm1' }, begin), ...scan('s2', { patient: {}, measurementId: 'm2' }, begin + minute)]);
    const ids = one.exams.map(({ id }) => id);
    expect(ids).toHaveLength(2);
    tell(one, [changed(ids[0]!, 'denoisePercent', 30, begin + 2 * minute), changed(ids[1]!, 'denoisePercent', 40, begin + 3 * minute)]);
    tell(one, scan('s3', { patient: {}, dependsOn: ['m1', 'm2'] }, begin + 4 * minute));
    expect(only(one).settings).toMatchObject({ denoisePercent: 40, changes: [{ from: null, to: 30 }, { from: 30, to: 40 }] });
  });

  it('keeps a synthesis from being asked for as long as it is off, unless it has begun or must be', () => {
    const one = book({ protocols: [synthesised] });
    tell(one, scan('s1', facts('T1w sag'), begin));
    const { id } = only(one);
    tell(one, [changed(id, 'syntheses.syn-stir', false, begin + minute), changed(id, 'syntheses.syn-t2fs', false, begin + minute)]);
    expect(only(one).promises.slice(3)).toMatchObject([{ id: 'syn-stir', state: 'notAvailable', reason: { code: 'CONUS_INFO_EXAM_SWITCHED_OFF', text: expect.stringMatching(/^Ann switched it off; /) as string } }, { id: 'syn-t2fs', state: 'awaited' }]);
    const jobs = [...scan('s2', facts('T2w sag'), begin + 2 * minute)].flatMap((event) => one.apply(event).jobs);
    expect(jobs.map((job) => job.id)).toEqual(['synthesise/syn-t2fs']);
    tell(one, [{ kind: 'jobChanged', at: begin + 3 * minute, examId: id, jobId: 'synthesise/syn-t2fs', state: 'done' }, ...scan('s3', facts('STIR sag'), begin + 4 * minute)]);
    expect(only(one).state).toBe('complete');
    expect(one.apply(changed(id, 'syntheses.syn-stir', true, begin + 5 * minute)).jobs.map((job) => job.id)).toEqual(['synthesise/syn-stir']);
    tell(one, [changed(id, 'syntheses.syn-stir', false, begin + 6 * minute)]);
    expect(only(one).promises[3]).toMatchObject({ state: 'underway' });
  });
});

describe('the book, whatever comes in whatever order', () => {
  /** Studies of patients of their own, each of scans, resent scans and received series; what each source tells is in order. */
  const sources = fc
    .array(fc.array(fc.tuple(fc.constantFrom('T1w', 'T2w', 'STIR', 'scout'), fc.constantFrom('scan', 'resent', 'failed', 'dicom'), fc.boolean(), fc.integer({ min: 0, max: 30 })), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
    .map((studies) =>
      studies.flatMap((series, study) =>
        series.flatMap(([description, how, isTold, after], index): ExamEvent[][] => {
          const patient = { id: `P${study}`, name: `Name^${study}` };
          // The first of each study names it; later ones may know the patient only.
          const source = facts(description, { patient, ...(isTold || index === 0 ? { studyInstanceUid: `1.${study}` } : without), measurementId: `m${study}-${index}` });
          const at = begin + after * minute;
          const name = `${study}-${index}`;
          if (how === 'dicom') return [received(`9.${study}.${index}`, { ...source }, 3, at)];
          const failed: ExamEvent[] = [...scan(name, source, at).slice(0, 3), { kind: 'sessionFailed', at: at + 5000, sessionId: name, code: 'X', text: 'x', remarks: [] }];
          if (how === 'failed') return [failed];
          return how === 'resent' ? [failed, scan(`${name}-again`, source, at + minute)] : [scan(name, source, at)];
        }),
      ),
    );
  const without = { studyInstanceUid: undefined } as unknown as { studyInstanceUid: string };

  /** One event of any source after the other, each source in its order. */
  const interleaved = sources.chain((lists) =>
    fc.array(fc.nat(), { minLength: lists.flat().length, maxLength: lists.flat().length }).map((draws) => {
      const rest = lists.map((list) => [...list]);
      const events = draws.map((draw) => {
        const open = rest.filter((list) => list.length > 0);
        return open[draw % open.length]!.shift()!;
      });
      return { lists, events };
    }),
  );

  /** Everything but the ids of exams, which are drawn. */
  const content = (of: ExamBook) =>
    of.exams.map((exam) => ({ ...exam, id: '', formerIds: [] })).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

  it('is the same in the end', () => {
    fc.assert(
      fc.property(interleaved, ({ lists, events }) => {
        const [ordered, shuffled] = [book(), book()];
        tell(ordered, lists.flat());
        tell(shuffled, events);
        for (const one of [ordered, shuffled]) tell(one, [{ kind: 'tick', at: begin + 100 * minute }]);
        expect(content(shuffled)).toEqual(content(ordered));
      }),
      { numRuns: 40 },
    );
  });

  it('has one exam a study', () => {
    fc.assert(
      fc.property(interleaved, ({ events }) => {
        const one = book();
        for (const event of events) {
          one.apply(event);
          const studies = one.exams.flatMap(({ study }) => study.instanceUid ?? []);
          expect(new Set(studies).size).toBe(studies.length);
        }
        expect(one.exams).toHaveLength(new Set(events.flatMap((event) => ('facts' in event ? [event.facts.patient.id] : []))).size);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same after a restart at any point, and offers no job twice and none less', () => {
    fc.assert(
      fc.property(interleaved, fc.nat(), ({ events }, draw) => {
        const options = { protocols: [protocol({ whenComplete: [{ series: ['sag-t1w'], actions: [{ kind: 'deliver', destinations: ['pacs'] }] }] })] };
        const through = book(options);
        let restarted = book(options);
        const jobs: Job[][] = [[], []];
        events.forEach((event, index) => {
          jobs[0]!.push(...through.apply(event).jobs);
          jobs[1]!.push(...restarted.apply(event).jobs);
          if (index !== draw % events.length) return;
          const kept = JSON.parse(JSON.stringify(restarted.exams.map(({ id }) => restarted.record(id)))) as Parameters<typeof book>[1];
          restarted = book(options, kept, event.at);
        });
        const end: ExamEvent = { kind: 'tick', at: begin + 100 * minute };
        for (const one of [through, restarted]) one.apply(end);
        expect(content(restarted)).toEqual(content(through));
        expect(jobs[1]!.map(({ id }) => id).sort()).toEqual(jobs[0]!.map(({ id }) => id).sort());
      }),
      { numRuns: 30 },
    );
  });

  it('is what its changes make of nothing', () => {
    fc.assert(
      fc.property(interleaved, ({ events }) => {
        const one = book();
        const changes = tell(one, [...events, { kind: 'tick', at: begin + 500 * minute }]);
        expect(changes.map(({ sequence }) => sequence)).toEqual(changes.map((_, index) => index + 1));
        const built = changes.reduce<ExamsById>(applyChange, new Map());
        expect(built).toEqual(new Map(one.exams.map((exam) => [exam.id, exam])));
      }),
      { numRuns: 30 },
    );
  });

  it('takes everything twice as once', () => {
    fc.assert(
      fc.property(interleaved, ({ events }) => {
        const [once, twice] = [book(), book()];
        tell(once, events);
        tell(twice, events.flatMap((event) => [event, event]));
        expect(content(twice)).toEqual(content(once));
      }),
      { numRuns: 20 },
    );
  });
});

describe('memory', () => {
  it('is bounded: the oldest finished exams are left out, recalled when asked for, and never doubled', () => {
    const kept = new Map<string, NonNullable<ReturnType<ExamBook['record']>>>();
    const one = book({
      maxFinished: 3,
      recall: {
        exam: (id) => kept.get(id),
        ofStudy: (uid) => [...kept.values()].find(({ series }) => Object.values(series).some(({ facts: { studyInstanceUid } }) => studyInstanceUid === uid)),
      },
    });
    const keep = (event: ExamEvent) => one.apply(event).changed.forEach((id) => kept.set(id, one.record(id)!));
    for (let day = 0; day < 10; day++) {
      const at = begin + day * 1440 * minute;
      scan(`s${day}`, facts('T1w', { studyInstanceUid: `1.${day}`, patient: { id: `P${day}` } }), at).forEach(keep);
      keep({ kind: 'tick', at: at + 600 * minute });
    }
    expect(one.exams).toHaveLength(3);
    const [first] = [...kept.keys()];
    expect(one.exam(first!)?.study.instanceUid).toBe('1.0');
    scan('late', facts('T2w', { studyInstanceUid: '1.0', patient: { id: 'P0' } }), begin + 20_000 * minute).forEach(keep);
    expect(kept.size).toBe(10);
    expect(one.exam(first!)?.series).toHaveLength(2);
  });
});
