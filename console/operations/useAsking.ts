/** What is asked of the service under the name of whoever sits here; what is shown is asked for anew then. */
import { useState } from 'preact/hooks';
import { sendJson } from '../api/index.js';
import { askOperatorName } from '../app/operator.js';

export interface Asking {
  readonly ask: (method: 'POST' | 'DELETE', path: string) => Promise<void>;
  /** Why the latest was not done. */
  readonly error: unknown;
}

export function useAsking(refresh: () => Promise<void>): Asking {
  const [error, setError] = useState<unknown>();
  const ask = async (method: 'POST' | 'DELETE', path: string) => {
    const by = await askOperatorName();
    if (by === undefined) return;
    setError(undefined);
    await sendJson(method, path, { by }).catch(setError);
    await refresh();
  };
  return { ask, error };
}
