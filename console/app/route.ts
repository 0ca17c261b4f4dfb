/** Where one is in the console: the part of the address behind the #. */
import { signal } from '@preact/signals';

export type Route =
  | { readonly view: 'list' }
  | { readonly view: 'exam'; readonly examId: string; readonly tab: 'series' | 'reading' | 'physics'; readonly seriesId?: string }
  | { readonly view: 'compare'; readonly left?: string; readonly right?: string }
  | { readonly view: 'sweeps'; readonly name?: string }
  | { readonly view: 'operations' }
  | { readonly view: 'unknown' };

export const route = signal<Route>(typeof location === 'undefined' ? { view: 'list' } : routeOf(location.hash));
if (typeof addEventListener !== 'undefined') addEventListener('hashchange', () => (route.value = routeOf(location.hash)));

export function routeOf(hash: string): Route {
  const parts = hash.replace(/^#\/?/, '').split('/').filter((part) => part !== '').map(decoded);
  if (parts.includes(undefined)) return { view: 'unknown' };
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { view: 'list' };
  if (first === 'operations' && second === undefined) return { view: 'operations' };
  if (first === 'sweeps') return { view: 'sweeps', ...(second !== undefined && { name: second }) };
  if (first === 'compare') return { view: 'compare', ...(second !== undefined && { left: second }), ...(third !== undefined && { right: third }) };
  if (first === 'exam' && second !== undefined) {
    if (third === undefined) return { view: 'exam', examId: second, tab: 'series' };
    if (third === 'series' && fourth !== undefined) return { view: 'exam', examId: second, tab: 'series', seriesId: fourth };
    if (third === 'reading') return { view: 'exam', examId: second, tab: 'reading' };
    if (third === 'physics') return { view: 'exam', examId: second, tab: 'physics', ...(fourth !== undefined && { seriesId: fourth }) };
  }
  return { view: 'unknown' };
}

/** Of parts of a path. */
export const hrefOf = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
