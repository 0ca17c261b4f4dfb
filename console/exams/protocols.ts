/** The protocols of the service, which stay as they are as long as it runs: asked for once. */
import { signal } from '@preact/signals';
import { getJson } from '../api/index.js';
import type { ProtocolSummary } from '../api/index.js';

export const protocols = signal<readonly ProtocolSummary[]>([]);
export const protocolsTrouble = signal<unknown>(undefined);
let asked: Promise<void> | undefined;

/** Never rejects; asked again where it failed. */
export function askProtocols(): Promise<void> {
  asked ??= getJson<{ protocols: readonly ProtocolSummary[] }>('api/protocols').then(
    (answer) => {
      protocols.value = answer.protocols;
      protocolsTrouble.value = undefined;
    },
    (error: unknown) => {
      asked = undefined;
      protocolsTrouble.value = error;
    },
  );
  return asked;
}
