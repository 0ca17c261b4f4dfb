/** What is said of exams and series, and how it stands. */
import type { ExamView, Light, SeriesState } from '../api/index.js';
import type { Standing } from '../parts/index.js';
import { promiseStanding } from './promiseWords.js';

export const seriesStates: Readonly<Record<SeriesState, readonly [standing: Standing, words: string]>> = {
  scanning: ['busy', 'scanning'],
  reconstructing: ['busy', 'reconstructing'],
  receiving: ['busy', 'receiving'],
  complete: ['good', 'complete'],
  delivered: ['good', 'delivered'],
  failed: ['bad', 'failed'],
};

export function examStanding({ state, promises, series }: ExamView): readonly [standing: Standing, words: string] {
  const nMissing = promises.filter((promise) => promiseStanding(promise)[0] === 'bad').length;
  const isFailed = series.some((one) => one.state === 'failed');
  if (state === 'complete') return ['good', 'complete'];
  if (state === 'incomplete') return ['bad', nMissing > 0 ? `incomplete: ${nMissing} not there` : 'incomplete'];
  if (nMissing > 0 || isFailed) return ['look', 'going on; something did not come'];
  return ['busy', 'going on'];
}

export function worstLight({ series }: Pick<ExamView, 'series'>): Light | undefined {
  const lights = new Set(series.flatMap(({ outputs }) => outputs.map(({ light }) => light)));
  return (['red', 'amber', 'green'] as const).find((light) => lights.has(light));
}

export const isDone = (state: SeriesState): boolean => state === 'complete' || state === 'delivered';

/** What the filter of the list looks at. */
export function searchText({ id, patient, study, protocol }: ExamView): string {
  return [id, patient.name, patient.id, study.description, study.accessionNumber, protocol?.name, protocol?.title].filter(Boolean).join(' ').toLowerCase();
}
