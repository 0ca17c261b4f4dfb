/** A destination that must not know the patient: what is sent there is put under a pseudonym on its way out. */
import { CodedError } from 'ismrmrd';
import { pseudonymiseDicom, type Pseudonymiser } from '../delivery/index.js';
import { readIdentity } from '../dicom/index.js';
import type { LoadedInstance, Sender, SendResult } from '../outbox/index.js';
import { VERSION } from '../version.js';

/** The same instance gets the same pseudonym each time, so that one that is sent again is known there. */
export function pseudonymousSender(sender: Sender, pseudonymiser: Pseudonymiser): Sender {
  return {
    async send(instances, signal) {
      const originals = new Map<string, string>();
      const refused: SendResult[] = [];
      const renamed: LoadedInstance[] = [];
      for (const instance of instances) {
        const { sopInstanceUid, ref } = instance;
        try {
          const file = pseudonymiseDicom(await instance.bytes(), pseudonymiser, VERSION);
          const identity = readIdentity(file);
          originals.set(identity.sopInstanceUid, sopInstanceUid);
          renamed.push({ ...identity, ref, nBytes: file.length, bytes: () => Promise.resolve(file) });
        } catch (error) {
          // Better not there than there with a name.
          if (!(error instanceof CodedError)) throw error;
          refused.push({ sopInstanceUid, outcome: 'failed', code: error.code, detail: '', retryable: false });
        }
      }
      const results = renamed.length === 0 ? [] : await sender.send(renamed, signal);
      return [...refused, ...results.map((result) => ({ ...result, sopInstanceUid: originals.get(result.sopInstanceUid) ?? result.sopInstanceUid }))];
    },
  };
}
