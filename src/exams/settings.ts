/**
 * What the operator changes of an exam: its protocol, how strongly its next scans are denoised, which of its syntheses
 * are made. The list of changes is what is kept; what holds follows from it, the latest change of each thing.
 */
import { synthesisId } from '../../protocols/index.js';
import type { Protocol, Synthesis } from '../../protocols/index.js';
import { examError } from './errors.js';
import { withSettings } from './record.js';
import type { ExamRecord } from './record.js';
import type { ExamSettings, SettingsRequest } from './schema.js';
import { synthesisJobId } from './wanted.js';

type Told = ExamSettings['changes'][number];
type SettingValue = Told['to'];

/** As it is told, but for what was before. */
export type SettingChange = Readonly<Omit<Told, 'from'>>;

const SYNTHESES = 'syntheses.';

/** No exam is changed so often by people. */
const MOST_CHANGES = 500;

const valueBefore = (what: string): SettingValue => (what.startsWith(SYNTHESES) ? true : null);

export function settingsOf({ settingChanges = [] }: Pick<ExamRecord, 'settingChanges'>): ExamSettings {
  const held = new Map<string, SettingValue>();
  const changes = settingChanges.map(({ at, by, what, to }) => {
    const from = held.get(what) ?? valueBefore(what);
    held.set(what, to);
    return { at, by, what, from, to };
  });
  const protocol = held.get('protocol');
  const denoisePercent = held.get('denoisePercent');
  return {
    ...(typeof protocol === 'string' && { protocol }),
    ...(typeof denoisePercent === 'number' && { denoisePercent }),
    syntheses: Object.fromEntries([...held].flatMap(([what, to]) => (what.startsWith(SYNTHESES) ? [[what.slice(SYNTHESES.length), to === true]] : []))),
    changes,
  };
}

/** The latest change of one thing that still holds. */
export function latestChange({ changes }: Pick<ExamSettings, 'changes'>, what: string): Told | undefined {
  return changes.findLast((change) => change.what === what);
}

/** Who switched a synthesis off; undefined where it is on, as what must not be switched off is whatever was asked. */
export function switchedOff(synthesis: Synthesis, settings: ExamSettings): Told | undefined {
  const id = synthesisId(synthesis);
  return synthesis.optional && settings.syntheses[id] === false ? latestChange(settings, `${SYNTHESES}${id}`) : undefined;
}

export interface StrengthLimits {
  readonly least: number;
  readonly most: number;
}

/** @param fixedPercent what the command line fixes for every scan, and nobody at the console can change */
export function strengthLimits(protocol: Pick<Protocol, 'operator'> | undefined, fixedPercent?: number): StrengthLimits {
  if (fixedPercent !== undefined) return { least: fixedPercent, most: fixedPercent };
  return protocol?.operator.denoisePercent ?? { least: 0, most: 100 };
}

export interface SettingsScope {
  readonly protocols: readonly Protocol[];
  /** That an exam is of; undefined where none is chosen. */
  readonly protocolOf: (exam: ExamRecord) => Protocol | undefined;
  readonly limitsOf: (protocol: Protocol | undefined) => StrengthLimits;
}

/**
 * What a request changes of an exam; nothing of what is so already.
 * @throws CodedError CONUS_ERR_SETTING_*: what the protocol does not allow, or comes too late
 */
export function changesAsked(request: SettingsRequest, exam: ExamRecord, scope: SettingsScope, at: number): SettingChange[] {
  const { by, protocol: name, denoisePercent, syntheses = {} } = request;
  if (typeof name === 'string' && !scope.protocols.some((one) => one.name === name)) throw examError('CONUS_ERR_SETTING_PROTOCOL', 'another name');
  const settings = settingsOf(exam);
  const changeTo = (what: string, to: SettingValue | undefined): SettingChange[] =>
    to === undefined || to === (latestChange(settings, what)?.to ?? valueBefore(what)) ? [] : [{ at, by, what, to }];
  const ofProtocol = changeTo('protocol', name);
  // Strength and syntheses are held against the protocol that the exam has afterwards.
  const protocol = scope.protocolOf(withSettings(exam, ofProtocol));
  const { least, most } = scope.limitsOf(protocol);
  if (typeof denoisePercent === 'number' && (denoisePercent < least || denoisePercent > most)) {
    throw examError('CONUS_ERR_SETTING_STRENGTH', `${denoisePercent} % where ${least} to ${most} % are allowed`);
  }
  const ofSyntheses = Object.entries(syntheses).flatMap(([id, isOn]) => {
    const changed = changeTo(`${SYNTHESES}${id}`, isOn);
    if (changed.length > 0) checkSwitch(id, isOn, protocol, exam);
    return changed;
  });
  const changes = [...ofProtocol, ...changeTo('denoisePercent', denoisePercent), ...ofSyntheses];
  if (settings.changes.length + changes.length > MOST_CHANGES) throw examError('CONUS_ERR_SETTING_MANY', `more than ${MOST_CHANGES} changes of an exam`);
  return changes;
}

function checkSwitch(id: string, isOn: boolean, protocol: Protocol | undefined, { jobs }: ExamRecord): void {
  const synthesis = protocol?.synthesise.find((one) => synthesisId(one) === id);
  if (synthesis === undefined) throw examError('CONUS_ERR_SETTING_SYNTHESIS', 'a synthesis that the protocol of the exam does not have');
  if (isOn) return;
  if (!synthesis.optional) throw examError('CONUS_ERR_SETTING_SYNTHESIS', `${id} switched off`);
  if (jobs[synthesisJobId(synthesis)] !== undefined) throw examError('CONUS_ERR_SETTING_BEGUN', `${id} switched off after it was begun`);
}
