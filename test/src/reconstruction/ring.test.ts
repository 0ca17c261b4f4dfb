import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flagsOf, type AcquisitionHeader } from 'ismrmrd';
import { ringBytes, RingConsumer, RingProducer, type RingLayout } from '../../../src/reconstruction/ring.js';

function headerOf(scanCounter: number, nChannels: number, nSamples: number): AcquisitionHeader {
  return {
    version: 1,
    flags: flagsOf('reverse', 'user8'),
    measurementUid: 7,
    scanCounter,
    acquisitionTimeStamp: scanCounter,
    physiologyTimeStamp: [1, 2, 3],
    nSamples,
    availableChannels: nChannels,
    nChannels,
    channelMask: [],
    discardPre: 4,
    discardPost: 5,
    centerSample: 6,
    encodingSpaceRef: 0,
    trajectoryDimensions: 0,
    sampleTimeUs: 2.5,
    position: [1.5, -2.5, 3.5],
    readDir: [1, 0, 0],
    phaseDir: [0, 1, 0],
    sliceDir: [0, 0, 1],
    patientTablePosition: [9, 8, 7],
    idx: {
      kspaceEncodeStep1: 11, kspaceEncodeStep2: 12, average: 13, slice: 14, contrast: 15,
      phase: 16, repetition: 17, set: 18, segment: 19, user: [1, 2, 3, 4, 5, 6, 7, 8],
    },
    userInt: [],
    userFloat: [],
  };
}

function ring(sampleBytes: number) {
  const layout: RingLayout = { startByte: 64, sampleBytes };
  const buffer = new SharedArrayBuffer(64 + ringBytes(layout));
  return { buffer, producer: new RingProducer(buffer, layout), consumer: new RingConsumer(buffer, layout) };
}

describe('the ring between the socket and a reconstruction worker', () => {
  it('hands every readout over once, in order, its samples untouched, whatever the turns of both ends', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ produce: fc.boolean(), nChannels: fc.integer({ min: 1, max: 4 }), nSamples: fc.integer({ min: 1, max: 60 }) }), { maxLength: 400 }),
        (steps) => {
          const { buffer, producer, consumer } = ring(8192);
          let sent = 0;
          let received = 0;
          const sizes: number[] = [];
          const take = () => {
            const readout = consumer.next();
            if (readout === undefined) return false;
            const n = 2 * readout.nChannels * readout.nSamples;
            const samples = new Float32Array(buffer, readout.samplesPointer, n);
            expect(readout.acquisitionTimeStamp).toBe(received);
            expect(n).toBe(sizes[received]);
            expect(samples.every((value) => value === received)).toBe(true);
            received++;
            return true;
          };
          for (const { produce, nChannels, nSamples } of steps) {
            if (!produce) {
              take();
              continue;
            }
            const header = headerOf(sent, nChannels, nSamples);
            const slot = producer.allocate(2 * nChannels * nSamples);
            if (slot === undefined) continue;
            slot.fill(sent);
            sizes.push(slot.length);
            producer.commit(header);
            sent++;
          }
          while (take());
          expect(received).toBe(sent);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('says when it is full, and again when there is room', () => {
    const { producer, consumer } = ring(4096);
    const header = headerOf(0, 2, 100);
    let sent = 0;
    while (producer.allocate(400) !== undefined) {
      producer.commit(header);
      sent++;
    }
    expect(sent).toBe(2);
    consumer.next();
    consumer.release();
    expect(consumer.takeProducerWaits()).toBe(true);
    expect(consumer.takeProducerWaits()).toBe(false);
    expect(producer.allocate(400)).toBeDefined();
  });

  it('lets a producer that waits come back when half of what waited is read', () => {
    const { producer, consumer } = ring(8192);
    const header = headerOf(0, 2, 100);
    let sent = 0;
    for (; producer.allocate(400) !== undefined; sent++) producer.commit(header);
    const waits: boolean[] = [];
    for (let read = 0; read < sent; read++) {
      consumer.next();
      consumer.release();
      waits.push(consumer.takeProducerWaits());
    }
    expect(sent).toBe(5);
    expect(waits).toEqual([false, false, true, false, false]);
  });

  it('wakes a consumer that sleeps, and lets none sleep over a readout', () => {
    const { producer, consumer } = ring(4096);
    expect(consumer.next()).toBeUndefined();
    expect(consumer.sleep()).toBe(true);
    producer.allocate(40);
    expect(producer.commit(headerOf(0, 2, 10))).toBe(true);
    producer.allocate(40);
    expect(producer.commit(headerOf(1, 2, 10))).toBe(false);
    expect(consumer.sleep()).toBe(false);
  });

  it('carries the header', () => {
    const { producer, consumer } = ring(4096);
    const header = headerOf(3, 2, 10);
    producer.allocate(40);
    producer.commit(header);
    const { samplesPointer, ...carried } = consumer.next()!;
    expect(samplesPointer % 4).toBe(0);
    expect(header).toMatchObject(carried);
  });
});
