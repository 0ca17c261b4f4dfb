/** What a series is called over its pictures, and what must be written over them. */
import type { SeriesView } from '../api/index.js';
import { roleName } from '../parts/index.js';

export const seriesName = ({ description, role }: Pick<SeriesView, 'description' | 'role'>): string => description ?? (role === undefined ? 'Series' : roleName(role));

/** Of what was computed and not scanned. */
export const markOf = ({ source }: Pick<SeriesView, 'source'>): string | undefined => (source === 'synthesis' ? 'SYNTHETIC' : undefined);
