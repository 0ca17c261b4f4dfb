/** What the operator is about to change of an exam, and what the protocol allows of it. */
import type { ExamView, ProtocolSummary, SettingChange, SettingsRequest, SettingValue } from '../api/index.js';

/** What stands on the page and is not sent yet. */
export interface Draft {
  /** null: as the series tell. */
  readonly protocol: string | null;
  /** null: as protocol and scanner say. */
  readonly denoisePercent: number | null;
  readonly syntheses: Readonly<Record<string, boolean>>;
}

export function draftOf({ settings: { protocol, denoisePercent, syntheses } }: Pick<ExamView, 'settings'>): Draft {
  return { protocol: protocol ?? null, denoisePercent: denoisePercent ?? null, syntheses };
}

/** What is to be sent; undefined where nothing changes. */
export function requestOf(draft: Draft, exam: Pick<ExamView, 'settings'>): Omit<SettingsRequest, 'by'> | undefined {
  const now = draftOf(exam);
  const syntheses = Object.fromEntries(Object.entries(draft.syntheses).filter(([id, isOn]) => isOn !== (now.syntheses[id] ?? true)));
  const request = {
    ...(draft.protocol !== now.protocol && { protocol: draft.protocol }),
    ...(draft.denoisePercent !== now.denoisePercent && { denoisePercent: draft.denoisePercent }),
    ...(Object.keys(syntheses).length > 0 && { syntheses }),
  };
  return Object.keys(request).length === 0 ? undefined : request;
}

/** With another protocol: a strength that it does not allow comes to its nearest limit, switches of other syntheses go. */
export function withProtocol(draft: Draft, name: string | null, protocol: ProtocolSummary | undefined): Draft {
  const { least, most } = strengthOf(protocol);
  const ids = new Set(protocol?.syntheses.map(({ id }) => id));
  return {
    protocol: name,
    denoisePercent: draft.denoisePercent === null ? null : Math.min(Math.max(draft.denoisePercent, least), most),
    syntheses: Object.fromEntries(Object.entries(draft.syntheses).filter(([id]) => ids.has(id))),
  };
}

export interface Strength {
  readonly least: number;
  readonly most: number;
  /** Where nobody chooses; undefined where no protocol tells it. */
  readonly standard: number | undefined;
  readonly isFixed: boolean;
}

export function strengthOf(protocol: ProtocolSummary | undefined): Strength {
  if (protocol === undefined) return { least: 0, most: 100, standard: undefined, isFixed: false };
  const { least, most, standard } = protocol.operator.denoisePercent;
  return { least, most, standard, isFixed: least === most };
}

export interface Switch {
  readonly id: string;
  readonly description: string;
  readonly isOn: boolean;
  /** Why it cannot be switched; undefined where it can. */
  readonly lock: string | undefined;
}

export function switchesOf(protocol: ProtocolSummary | undefined, draft: Draft, { actions }: Pick<ExamView, 'actions'>): Switch[] {
  return (protocol?.syntheses ?? []).map(({ id, description, optional }) => {
    const state = actions.find(({ kind, id: actionId }) => kind === 'synthesise' && actionId === `synthesise/${id}`)?.state;
    const hasBegun = state !== undefined && state !== 'waiting' && state !== 'notAvailable';
    const lock = hasBegun ? beginnings[state] : optional ? undefined : 'the protocol asks for it in any case';
    return { id, description, isOn: lock !== undefined || (draft.syntheses[id] ?? true), lock };
  });
}

const beginnings = { offered: 'it has begun', running: 'it is being computed', done: 'it is there', failed: 'it was tried, and failed' } as const;

/** How much shorter than what it is a variant of; undefined where it is none, or not shorter. */
export function savedOf({ minutes, basedOnMinutes }: ProtocolSummary): { readonly minutes: number; readonly percent: number } | undefined {
  if (basedOnMinutes === undefined || basedOnMinutes <= minutes) return undefined;
  return { minutes: basedOnMinutes - minutes, percent: Math.round((100 * (basedOnMinutes - minutes)) / basedOnMinutes) };
}

/** `8:20 min`. */
export function minutesWords(minutes: number): string {
  const seconds = Math.round(60 * minutes);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
}

/** Of a region at a time, that of the exam first. */
export function byRegion(protocols: readonly ProtocolSummary[], first: string | undefined): [region: string, protocols: ProtocolSummary[]][] {
  const regions = [...new Set(protocols.map(({ region }) => region))].sort((a, b) => Number(b === first) - Number(a === first));
  return regions.map((region) => [region, protocols.filter((one) => one.region === region)]);
}

/** `strength of denoising: as usual → 60 %`. */
export function changeWords({ what, from, to }: SettingChange, protocols: readonly ProtocolSummary[]): string {
  const value = (one: SettingValue): string => {
    if (what === 'protocol') return one === null ? 'as recognised' : (protocols.find(({ name }) => name === one)?.title ?? String(one));
    if (what === 'denoisePercent') return one === null ? 'not chosen' : `${String(one)} %`;
    return one === true ? 'on' : 'off';
  };
  return `${nameOf(what, protocols)}: ${value(from)} → ${value(to)}`;
}

function nameOf(what: string, protocols: readonly ProtocolSummary[]): string {
  if (what === 'protocol') return 'protocol';
  if (what === 'denoisePercent') return 'strength of denoising';
  const id = what.replace(/^syntheses\./, '');
  return protocols.flatMap(({ syntheses }) => syntheses).find((one) => one.id === id)?.description ?? id;
}
