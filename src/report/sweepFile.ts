/** What `conus sweep` found, as a file (src/sweep/file.ts). */
import type { SweepFile, SweepOutcome, SweepResult } from '../sweep/index.js';
import { VERSION } from '../version.js';
import { rampUri, type Scale } from './pictures.js';
import { sweepPictures } from './sweepPictures.js';

export function sweepFile(outcome: SweepOutcome): SweepFile {
  const { scan: { header, acceleration, readouts }, timing, snrUnits, limits, baseline, results, fastest } = outcome;
  const { x, y } = header.encoding[0]!.reconSpace.matrixSize;
  const system = header.acquisitionSystemInformation;
  const name = header.measurementInformation?.protocolName ?? '';
  const pictures = sweepPictures(outcome);
  const all = [baseline, ...results];
  return {
    version: 1,
    softwareVersion: VERSION,
    scan: {
      ...(name !== '' && { name }),
      acceleration,
      matrix: [x, y],
      nSlices: new Set(readouts.map(({ slice }) => slice)).size,
      ...(system?.receiverChannels !== undefined && { nCoils: system.receiverChannels }),
      ...(system?.systemFieldStrength_T !== undefined && { fieldStrengthT: system.systemFieldStrength_T }),
    },
    ...(timing !== undefined && { timing: { trMs: timing.trMs, echoTrainLength: timing.echoTrainLength, concatenations: timing.concatenations } }),
    snrUnits,
    limits: { ...limits },
    ...(pictures !== undefined && { pictures: { slice: pictures.slice, rows: pictures.rows, columns: pictures.columns, scales: { image: told(pictures.scales.image), error: told(pictures.scales.error), gFactor: told(pictures.scales.gFactor) } } }),
    ...(fastest !== undefined && { fastest: all.indexOf(fastest) }),
    rows: all.map((result) => {
      const painted = pictures?.paint(result);
      return { ...rowOf(result), ...(painted !== undefined && { pictures: painted }) };
    }),
  };
}

/** With its colours: whoever shows the pictures need not know how they were painted. */
const told = ({ low, high, unit, paint }: Scale) => ({ low, high, unit, ramp: rampUri({ low, high, paint }) });

function rowOf({ setting, nLines, minutes, figures, relativeSnr, violations, remarks }: SweepResult): SweepFile['rows'][number] {
  return {
    ...(setting !== undefined && { setting: { ...setting } }),
    nLines, minutes, figures, relativeSnr, violations: [...violations], remarks: [...remarks],
  };
}
