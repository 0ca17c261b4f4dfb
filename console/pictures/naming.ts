/** What a series is called over its pictures, and what must be written over them. */
import type { SeriesView } from '../api/index.js';
import { roleName } from '../parts/index.js';

export const seriesName = ({ description, role }: Pick<SeriesView, 'description' | 'role'>): string => description ?? (role === undefined ? 'Series' : roleName(role));

/** Of what was computed and not scanned, here or elsewhere: what was received says so itself. */
export const markOf = ({ source, facts }: Pick<SeriesView, 'source' | 'facts'>): string | undefined =>
  source === 'synthesis' || (source === 'dicom' && facts.isSimulated === true) ? 'SYNTHETIC' : undefined;
