import { expect, it } from 'vitest';
import { Pseudonymiser } from '../../../src/delivery/index.js';
import { parseDicom } from '../../../src/dicom/index.js';
import type { LoadedInstance, Sender } from '../../../src/outbox/index.js';
import { pseudonymousSender } from '../../../src/service/pseudonymousSender.js';
import { classicSeries, classicSlice, encode, loaded, obliqueVolume, PATIENT, PATIENT_ID } from '../dicom/fixtures.js';

it('sends what names nobody, the same each time, and tells of the instances by the names that they have here', async () => {
  const sent: LoadedInstance[] = [];
  const plain: Sender = {
    async send(instances) {
      sent.push(...instances);
      return instances.map(({ sopInstanceUid }, index) => (index === 0 ? { sopInstanceUid, outcome: 'failed', code: 'X', detail: '', retryable: true } : { sopInstanceUid, outcome: 'stored' }));
    },
  };
  const sender = pseudonymousSender(plain, new Pseudonymiser(Buffer.from('a key of thirty-two bytes, or more'), 'remove'));
  const instances = loaded(classicSeries());
  const never = new AbortController().signal;
  const results = await sender.send(instances, never);
  expect(results.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(instances.map(({ sopInstanceUid }) => sopInstanceUid));
  expect(results.map(({ outcome }) => outcome)).toEqual(['failed', ...instances.slice(1).map(() => 'stored')]);
  await sender.send(instances, never);
  const half = sent.length / 2;
  for (const [index, instance] of sent.slice(0, half).entries()) {
    const file = Buffer.from(await instance.bytes());
    expect(file.includes(PATIENT.split('^')[0]!)).toBe(false);
    expect(file.includes(PATIENT_ID)).toBe(false);
    expect(instance.sopInstanceUid).not.toBe(instances[index]!.sopInstanceUid);
    expect(instance.sopInstanceUid).toBe(sent[half + index]!.sopInstanceUid);
    const [ours, theirs] = await Promise.all([instances[index]!.bytes(), instance.bytes()].map(async (bytes) => parseDicom(await bytes)));
    expect(theirs!.frames[0]!.values()).toEqual(ours!.frames[0]!.values());
    expect(theirs!.frames[0]!.plane).toEqual(ours!.frames[0]!.plane);
  }
});

it('sends nothing that may show a name in its pixels, and says that trying again is in vain', async () => {
  const sent: LoadedInstance[] = [];
  const plain: Sender = {
    async send(instances) {
      sent.push(...instances);
      return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' }));
    },
  };
  const [image] = loaded([encode({ ...classicSlice(obliqueVolume(16, 16, 1), 0), BurnedInAnnotation: 'YES' })]);
  const sender = pseudonymousSender(plain, new Pseudonymiser(Buffer.from('a key of thirty-two bytes, or more'), 'remove'));
  expect(await sender.send([image!], new AbortController().signal)).toEqual([
    { sopInstanceUid: image!.sopInstanceUid, outcome: 'failed', code: 'CONUS_ERR_BURNED_IN', detail: '', retryable: false },
  ]);
  expect(sent).toEqual([]);
});
