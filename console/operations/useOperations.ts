/** How the service is doing: asked for every few seconds while somebody looks. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from '../api/index.js';
import type { OperationsView } from '../api/index.js';

const everyMs = 3000;

export interface OperationsHandle {
  readonly operations: OperationsView | undefined;
  /** Of the latest question; what was told before stays. */
  readonly error: unknown;
  readonly refresh: () => Promise<void>;
}

export function useOperations(): OperationsHandle {
  const [told, setTold] = useState<{ readonly operations?: OperationsView; readonly error?: unknown }>({});
  const refresh = async () => {
    try {
      setTold({ operations: await getJson<OperationsView>('api/operations') });
    } catch (error) {
      setTold((before) => ({ ...before, error }));
    }
  };
  useEffect(() => {
    void refresh();
    const timer = setInterval(() => {
      if (!document.hidden) void refresh();
    }, everyMs);
    return () => clearInterval(timer);
  }, []);
  return { operations: told.operations, error: told.error, refresh };
}
