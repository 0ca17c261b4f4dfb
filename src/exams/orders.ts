/** What an exam says of a scan that begins: which protocol and series it is of, and how strongly the operator wants it denoised. */
import type { Protocol, Series } from '../../protocols/index.js';
import { chooseProtocol, recogniseSeries } from './protocolChoice.js';
import type { ExamRecord } from './record.js';
import { latestChange, settingsOf, strengthLimits } from './settings.js';

export interface ScanOrders {
  readonly protocol?: Protocol;
  /** Of the protocol, where its rules tell it by the header. */
  readonly series?: Series;
  readonly strength?: {
    /** Within the limits of the protocol, which may have been chosen, or told, after the strength was. */
    readonly percent: number;
    readonly chosenPercent: number;
    readonly by: string;
    readonly at: number;
  };
}

/** @param exam with the series already */
export function ordersFor(exam: ExamRecord, seriesId: string, rules: { readonly protocols: readonly Protocol[]; readonly protocol?: string }): ScanOrders {
  const choice = chooseProtocol(exam, rules.protocols, rules.protocol);
  const { protocol } = choice;
  const { series } = recogniseSeries(exam.series[seriesId]!, choice);
  const settings = settingsOf(exam);
  const { denoisePercent: chosenPercent } = settings;
  const change = latestChange(settings, 'denoisePercent');
  const { least, most } = strengthLimits(protocol);
  return {
    ...(protocol !== undefined && { protocol }),
    ...(series !== undefined && { series }),
    ...(chosenPercent !== undefined && change !== undefined && {
      strength: { percent: Math.min(Math.max(chosenPercent, least), most), chosenPercent, by: change.by, at: change.at },
    }),
  };
}
