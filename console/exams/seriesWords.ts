/** What is said of a series on its card. */
import type { DeliveryView, StrengthView, SeriesView } from '../api/index.js';
import { number, roleName } from '../parts/index.js';
import type { Standing } from '../parts/index.js';

const deciders: Readonly<Record<StrengthView['origin'], string>> = {
  default: 'as this service does by itself', chain: 'by the chain', protocol: 'by the protocol', header: 'as the scanner asked', client: 'as the scanner asked',
  operator: 'by the command line of the service',
};

/** `Denoised at 60 %, chosen here by Ann`; undefined of what is no scan. */
export function denoisingWords({ denoising }: Pick<SeriesView, 'denoising'>): string | undefined {
  if (denoising === undefined) return undefined;
  const { percent, origin, source } = denoising;
  const person = origin === 'operator' ? /^console, (.*) at [^ ]*$/.exec(source)?.[1] : undefined;
  const decider = person === undefined ? deciders[origin] : `chosen here by ${person}`;
  return `${percent === 0 ? 'Not denoised' : `Denoising at ${number(percent)} %`}, ${decider}`;
}

/** `sagittal · TR 3500 ms · TE 100 ms · R = 2`. */
export function factWords({ role, facts }: Pick<SeriesView, 'role' | 'facts'>): string {
  const { orientation, trMs, teMs, tiMs, acceleration } = facts;
  return [
    role === undefined ? undefined : roleName(role), orientation,
    ...([['TR', trMs], ['TE', teMs], ['TI', tiMs]] as const).map(([name, ms]) => (ms === undefined ? undefined : `${name} ${number(ms)} ms`)),
    acceleration === undefined || acceleration <= 1 ? undefined : `R = ${number(acceleration)}`,
  ].filter((word) => word !== undefined).join(' · ');
}

export interface DestinationWords {
  readonly destination: string;
  readonly standing: Standing;
  readonly words: string;
  readonly reasons: readonly string[];
}

/** A line a destination: several jobs take a series there, one for each kind of image. */
export function destinationsOf(deliveries: readonly DeliveryView[]): DestinationWords[] {
  return [...new Set(deliveries.map(({ destination }) => destination))].map((destination) => {
    const jobs = deliveries.filter((one) => one.destination === destination);
    const count = (state: DeliveryView['state']) => jobs.filter((one) => one.state === state).length;
    const [nDelivered, nDead] = [count('delivered'), count('dead')];
    const standing = nDead > 0 ? 'bad' : nDelivered === jobs.length ? 'good' : 'busy';
    const words = nDead > 0 ? 'given up' : nDelivered === jobs.length ? 'delivered' : nDelivered === 0 ? 'waiting to be delivered' : `${nDelivered} of ${jobs.length} parts delivered`;
    return { destination, standing, words, reasons: [...new Set(jobs.flatMap(({ state, reason }) => (state === 'delivered' || reason === undefined ? [] : [reason.text])))] };
  });
}

/** `2 warnings, 1 note`. */
export function remarkCount(codes: readonly string[]): string {
  const nNotes = codes.filter((code) => code.includes('_INFO_')).length;
  const of = (n: number, word: string) => (n === 0 ? [] : [`${n} ${word}${n === 1 ? '' : 's'}`]);
  return [...of(codes.length - nNotes, 'warning'), ...of(nNotes, 'note')].join(', ');
}
