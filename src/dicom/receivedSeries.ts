/**
 * Series as they come in: when is one complete? When it has as many images as its scanner said (ImagesInAcquisition), or
 * when every association that brought some of it is closed and nothing came for a quiet time. An image that comes later
 * makes the series complete once more, so that nothing is lost.
 */
import { EventEmitter } from 'node:events';
import type { ReceivedObject } from './receiver.js';

export interface CompleteSeries {
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly nInstances: number;
  /** How often the series was complete; above 1, instances came late. */
  readonly revision: number;
}

interface OpenSeries {
  readonly studyInstanceUid: string;
  readonly instances: Set<string>;
  readonly associations: Set<string>;
  expected: number | undefined;
  revision: number;
  /** Instances that the last completion counted. */
  nReported: number;
  timer: NodeJS.Timeout | undefined;
}

/** Series that are remembered after they were complete; the oldest is forgotten beyond. */
const MAX_SERIES = 4096;

export class ReceivedSeries extends EventEmitter<{ complete: [CompleteSeries] }> {
  readonly #quietTimeMs: number;
  readonly #series = new Map<string, OpenSeries>();

  constructor(quietTimeMs: number) {
    super();
    this.#quietTimeMs = quietTimeMs;
  }

  add({ associationId, identity, facts }: Pick<ReceivedObject, 'associationId' | 'identity' | 'facts'>): void {
    const { seriesInstanceUid, studyInstanceUid, sopInstanceUid } = identity;
    let series = this.#series.get(seriesInstanceUid);
    if (series === undefined) {
      series = { studyInstanceUid, instances: new Set(), associations: new Set(), expected: undefined, revision: 0, nReported: 0, timer: undefined };
      this.#series.set(seriesInstanceUid, series);
      this.#forgetOldest();
    }
    series.instances.add(sopInstanceUid);
    series.associations.add(associationId);
    // Two acquisitions in one series each tell their own number: only one of them is an expectation for the series.
    series.expected = series.expected === undefined || series.expected === facts.imagesInAcquisition ? facts.imagesInAcquisition : Infinity;
    clearTimeout(series.timer);
    if (series.instances.size === series.expected) this.#complete(seriesInstanceUid, series);
  }

  associationClosed(associationId: string): void {
    for (const [uid, series] of this.#series) {
      if (!series.associations.delete(associationId) || series.associations.size > 0) continue;
      clearTimeout(series.timer);
      series.timer = setTimeout(() => this.#complete(uid, series), this.#quietTimeMs);
    }
  }

  /** Nothing more is told. */
  close(): void {
    for (const { timer } of this.#series.values()) clearTimeout(timer);
    this.#series.clear();
  }

  #complete(seriesInstanceUid: string, series: OpenSeries): void {
    if (series.instances.size === series.nReported) return;
    series.nReported = series.instances.size;
    series.revision++;
    const { studyInstanceUid, revision } = series;
    this.emit('complete', { seriesInstanceUid, studyInstanceUid, nInstances: series.nReported, revision });
  }

  #forgetOldest(): void {
    if (this.#series.size <= MAX_SERIES) return;
    const settled = [...this.#series].find(([, { associations, instances, nReported }]) => associations.size === 0 && instances.size === nReported);
    if (settled !== undefined) this.#series.delete(settled[0]);
  }
}
