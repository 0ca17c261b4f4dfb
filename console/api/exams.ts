/** All exams that the service has in memory, as the live channel tells of them. */
import { computed, effect, signal } from '@preact/signals';
import type { ReadonlySignal } from '@preact/signals';
import { ApiError, getJson, token } from './http.js';
import { LiveClient } from './live.js';
import type { ConnectionState, LiveCounts } from './live.js';
import { applyChange } from './reduce.js';
import type { ExamView, PictureMessage } from './types.js';

export const connection = signal<ConnectionState>('connecting');
/** By id. Published at most once a frame, however many changes come. */
export const exams = signal<ReadonlyMap<string, ExamView>>(new Map());
/** Whether the first reset came. */
export const isKnown = signal(false);
/** What the protocol of an exam asked to be told, the latest last. */
export const messages = signal<readonly { readonly at: number; readonly examId: string; readonly message: string }[]>([]);

const mostMessages = 20;
const known = new Map<string, ExamView>();
const pictureListeners = new Set<(picture: PictureMessage) => void>();
let isDue = false;
let client: LiveClient | undefined;

export const liveCounts = (): LiveCounts | undefined => client?.counts;

/** Those that are looked at; their pictures are asked for. */
const lookedAt = signal<ReadonlyMap<string, number>>(new Map());

export function startLive(): void {
  const address = new URL('api/live', location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  address.hash = '';
  client = new LiveClient(
    { url: address.href, token: () => token.value, isAdmitted },
    {
      state: (state) => (connection.value = state),
      reset: (all) => {
        known.clear();
        for (const exam of all) known.set(exam.id, exam);
        isKnown.value = true;
        publish();
      },
      change: (change) => {
        applyChange(known, change);
        if (change.kind === 'notify') messages.value = [...messages.value, { at: change.at, examId: change.examId, message: change.message }].slice(-mostMessages);
        publishSoon();
      },
      picture: (picture) => {
        for (const listener of pictureListeners) listener(picture);
      },
    },
  );
  client.connect();
  effect(() => client?.watchPictures([...lookedAt.value.keys()]));
  let isFirst = true;
  effect(() => {
    const isSet = token.value !== undefined;
    if (!isFirst && isSet) client?.reconnect();
    isFirst = false;
  });
}

/** Whether the service lets this page in, as far as it answers; where it does not, the page says that it wants a token. */
async function isAdmitted(): Promise<boolean> {
  try {
    await getJson('api/events');
    return true;
  } catch (error) {
    return !(error instanceof ApiError && error.status === 401);
  }
}

/** By its id or a former one. */
export function examOf(id: string): ReadonlySignal<ExamView | undefined> {
  return computed(() => exams.value.get(id) ?? [...exams.value.values()].find(({ formerIds }) => formerIds.includes(id)));
}

/** @returns what ends it */
export function onPicture(listener: (picture: PictureMessage) => void): () => void {
  pictureListeners.add(listener);
  return () => pictureListeners.delete(listener);
}

/** Asks for the pictures of an exam as they are made. @returns what ends it */
export function lookAt(examId: string): () => void {
  const count = (by: number) => {
    const next = new Map(lookedAt.peek());
    const n = (next.get(examId) ?? 0) + by;
    if (n > 0) next.set(examId, n);
    else next.delete(examId);
    lookedAt.value = next;
  };
  count(1);
  return () => count(-1);
}

function publish(): void {
  exams.value = new Map(known);
}

function publishSoon(): void {
  if (isDue) return;
  isDue = true;
  const now = () => {
    isDue = false;
    publish();
  };
  // A tab in the background has no frames.
  if (document.hidden) setTimeout(now, 250);
  else requestAnimationFrame(now);
}
