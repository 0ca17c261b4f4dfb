import { describe, expect, it } from 'vitest';
import { checkProtocol, PROTOCOL_ERRORS, protocolJsonSchema, protocolSchema } from '../../protocols/index.js';
import type { SeriesSource } from '../../protocols/index.js';
import { protocolSource, stirSource, tseSource } from './examples.js';

const fatNull = () => 200;
const check = (value: unknown) => checkProtocol(value, fatNull);
const places = (value: unknown) => check(value).errors.map(({ code, path }) => `${code} ${path}`);
const withSeries = (changes: object) => protocolSource({ ...tseSource, ...changes } as SeriesSource);
const withSequence = (changes: object, rest: object = {}) => withSeries({ ...rest, sequence: { ...tseSource.sequence, ...changes } });
const withGeometry = (changes: object) => withSeries({ geometry: { ...tseSource.geometry, ...changes } });

describe('checkProtocol', () => {
  it('fills in defaults', () => {
    const { protocol, errors } = check(protocolSource());
    expect(errors).toEqual([]);
    expect(protocol).toMatchObject({
      preparation: { adjustmentsS: 10, noiseScanS: 1 },
      synthesise: [],
      series: [{ averages: 1, acceleration: { factor: 1, calibration: 'none' }, partialFourier: '1', geometry: { tiltDeg: { headFeet: 0 }, readoutOversampling: 2 } }],
    });
  });

  it.each<[string, unknown, string[]]>([
    ['an unknown key', { ...protocolSource(), colour: 'red' }, ['PROTOCOL_ERR_KEY colour']],
    ['an unknown key deep inside', withSequence({ trS: 3 }), ['PROTOCOL_ERR_KEY series.0.sequence.trS']],
    ['a missing key', { ...protocolSource(), title: undefined }, ['PROTOCOL_ERR_VALUE title']],
    ['an unknown kind', withSequence({ kind: 'epi' }), ['PROTOCOL_ERR_VALUE series.0.sequence.kind']],
    ['no object at all', 'lumbar', ['PROTOCOL_ERR_VALUE ']],
    ['a range upside down', withSeries({ recognise: { trMs: [5, 1] } }), ['PROTOCOL_ERR_VALUE series.0.recognise.trMs']],
    ['an id twice', protocolSource(tseSource, tseSource), ['PROTOCOL_ERR_REFERENCE series.1.id']],
    ['a synthesis from nothing', { ...protocolSource(), synthesise: [{ contrast: 'stir', fromSeries: ['sag-t2w', 'sag-t1w'] }] },
      ['PROTOCOL_ERR_REFERENCE synthesise.0.fromSeries.1']],
    ['a synthesis that is called like another', { ...protocolSource(), synthesise: [{ contrast: 'stir', fromSeries: ['sag-t2w'] }, { contrast: 'stir', fromSeries: ['sag-t2w'] }] },
      ['PROTOCOL_ERR_REFERENCE synthesise.1.id', 'PROTOCOL_ERR_SYNTHESIS synthesise.0.fromSeries', 'PROTOCOL_ERR_SYNTHESIS synthesise.1.fromSeries']],
    ['a synthesis whose echoes and inversion take longer than TR', { ...protocolSource(tseSource, { ...tseSource, id: 'sag-t1w', role: 't1w' }), synthesise: [{ contrast: 'stir', fromSeries: ['sag-t2w', 'sag-t1w'], trMs: 300, tiMs: 150 }] },
      ['PROTOCOL_ERR_SYNTHESIS synthesise.0.trMs']],
    ['a delivery of nothing', { ...protocolSource(), whenComplete: [{ series: ['sag-t2w', 'syn-ct'], actions: [{ kind: 'deliver', destinations: ['pacs'] }] }] },
      ['PROTOCOL_ERR_REFERENCE whenComplete.0.series.1']],
    ['a series that is missing before it is late', { ...protocolSource(), deadlines: { lateAfterMin: 20, missingAfterMin: 10 } }, ['PROTOCOL_ERR_VALUE deadlines']],
    ['an action that is none', { ...protocolSource(), whenComplete: [{ series: ['sag-t2w'], actions: [{ kind: 'fax' }] }] },
      ['PROTOCOL_ERR_VALUE whenComplete.0.actions.0.kind']],
    ['an analysis of nothing', { ...protocolSource(), analyse: [{ task: 'grades', fromSeries: ['x'] }] }, ['PROTOCOL_ERR_REFERENCE analyse.0.fromSeries.0']],
    ['an echo time between echoes', withSequence({ teMs: 95 }), ['PROTOCOL_ERR_ECHO series.0.sequence.teMs']],
    ['an echo time after the train', withSequence({ teMs: 170 }), ['PROTOCOL_ERR_ECHO series.0.sequence.teMs']],
    ['a readout longer than the echo spacing', withSequence({ bandwidthHzPerPixel: 90 }), ['PROTOCOL_ERR_ECHO series.0.sequence.echoSpacingMs']],
    ['a gradient echo before its readout', withSeries({ sequence: { kind: 'spoiledGre', trMs: 500, teMs: 2, flipAngleDeg: 30, bandwidthHzPerPixel: 200 } }),
      ['PROTOCOL_ERR_ECHO series.0.sequence.teMs']],
    ['echoes closer than their readouts', withSeries({ sequence: { kind: 'dixonGre', trMs: 500, teMs: [4, 6], flipAngleDeg: 30, bandwidthHzPerPixel: 250 } }),
      ['PROTOCOL_ERR_ECHO series.0.sequence.teMs']],
    ['a readout out of the plane', withGeometry({ readout: 'leftRight' }), ['PROTOCOL_ERR_GEOMETRY series.0.geometry.readout']],
    ['a tilt about three axes', withGeometry({ tiltDeg: { leftRight: 1, anteriorPosterior: 1, headFeet: 1 } }), ['PROTOCOL_ERR_GEOMETRY series.0.geometry.tiltDeg']],
    ['disc levels of sagittal slices', withGeometry({ discLevels: ['L4-L5'] }), ['PROTOCOL_ERR_GEOMETRY series.0.geometry.discLevels']],
    ['calibration without acceleration', withSeries({ acceleration: { calibration: 'embedded', calibrationLines: 24 } }), ['PROTOCOL_ERR_LINES series.0.acceleration.calibration']],
    ['calibration of no lines', withSeries({ acceleration: { factor: 2, calibration: 'embedded' } }), ['PROTOCOL_ERR_LINES series.0.acceleration.calibrationLines']],
    ['calibration that partial Fourier leaves out', withSeries({ acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 100 }, partialFourier: '5/8' }),
      ['PROTOCOL_ERR_LINES series.0.acceleration']],
    ['trains that do not fit', withSequence({}, { concatenations: 1, geometry: { ...tseSource.geometry, slices: { count: 30, thicknessMm: 3 } } }),
      ['PROTOCOL_ERR_TIMING series.0.sequence.trMs']],
    ['everything at once', { ...protocolSource({ ...tseSource, averages: 0 }, { ...stirSource, sequence: { ...stirSource.sequence, teMs: 55 } }), coil: {} },
      ['PROTOCOL_ERR_VALUE coil.nChannels', 'PROTOCOL_ERR_VALUE series.0.averages', 'PROTOCOL_ERR_ECHO series.1.sequence.teMs']],
  ])('finds %s', (_what, value, expected) => {
    expect(places(value)).toEqual(expected);
  });

  it('tells what was got, what was expected and what to do', () => {
    expect(check(withSequence({ trMs: 'long' })).errors).toEqual([
      { code: 'PROTOCOL_ERR_VALUE', path: 'series.0.sequence.trMs', got: '"long"', expected: 'number', action: PROTOCOL_ERRORS.PROTOCOL_ERR_VALUE.action },
    ]);
    expect(check({ ...protocolSource(), fieldStrengthT: 7 }).errors[0]).toMatchObject({ path: 'fieldStrengthT', got: '7', expected: 'one of 1.5|3' });
  });

  it('warns of what is legal and unwise, and of nothing else', () => {
    const recognise = { namePatterns: ['*t2*'] };
    const warnings = (changes: object, rest: object = {}) => check({ ...withSequence(changes, { recognise, ...rest }) }).warnings.map(({ code }) => code);
    expect(warnings({})).toEqual([]);
    expect(warnings({}, { acceleration: { factor: 2 } })).toEqual(['PROTOCOL_WARN_NO_CALIBRATION']);
    expect(warnings({}, { acceleration: { factor: 2, calibration: 'embedded', calibrationLines: 12 } })).toEqual(['PROTOCOL_WARN_CALIBRATION_LINES']);
    expect(warnings({ teMs: 50, echoSpacingMs: 5, bandwidthHzPerPixel: 400, trMs: 1500 })).toEqual(['PROTOCOL_WARN_RF']);
    expect(warnings({ trMs: 9000 })).toEqual(['PROTOCOL_WARN_UNUSED_REPETITION_TIME']);
    expect(warnings({}, { recognise: {} })).toEqual(['PROTOCOL_WARN_RECOGNITION']);
    expect(warnings({}, { recognise: { namePatterns: ['*t1*'] } })).toEqual(['PROTOCOL_WARN_RECOGNITION']);
  });
});

describe('protocolJsonSchema', () => {
  it('refuses unknown keys in every object, and describes every key', () => {
    const visit = (at: unknown): void => {
      if (typeof at !== 'object' || at === null) return;
      const schema = at as { properties?: Record<string, { description?: string }>; additionalProperties?: unknown };
      if (schema.properties !== undefined && 'additionalProperties' in schema) {
        expect(schema.additionalProperties).toBe(false);
        for (const [key, value] of Object.entries(schema.properties)) expect([key, value.description]).toEqual([key, expect.any(String)]);
      }
      Object.values(at).forEach(visit);
    };
    const schema = protocolJsonSchema();
    expect(Object.keys(schema['properties'] as object)).toEqual(Object.keys(protocolSchema.shape));
    visit(schema);
  });
});
