/** What the operator and the protocol say of scans that begin, as sessions are told it. */
import type { Protocol } from '../../protocols/index.js';
import { parseParameter } from '../chain/index.js';
import type { ChoiceOptions, Guidance, Standards } from '../chain/index.js';
import { factsOfHeader, nearestPlane } from '../exams/index.js';
import type { ExamKeeper, ScanOrders } from '../exams/index.js';
import type { Logger } from '../log.js';
import type { Guide } from '../session/index.js';

/** Whatever becomes of it, the scan goes on. */
export function guideOf(exams: ExamKeeper, log: Logger): Guide {
  return (header, sliceDir) => {
    try {
      const facts = factsOfHeader(header);
      const orientation = facts.orientation ?? nearestPlane(sliceDir);
      return guidanceOf(exams.ordersFor({ ...facts, ...(orientation !== undefined && { orientation }) }));
    } catch (error) {
      // What is thrown may quote a header.
      log.error({ code: (error as { code?: string }).code }, 'a scan cannot be told what holds for its exam');
      return {};
    }
  };
}

function guidanceOf({ protocol, series, strength }: ScanOrders): Guidance {
  const [ofExam, ofSeries] = [protocol?.chain, series?.chain];
  const chain = ofSeries?.chain ?? ofExam?.chain;
  const isHeld = strength !== undefined && strength.percent !== strength.chosenPercent;
  return {
    ...(protocol !== undefined && {
      protocol: { ...(chain !== undefined && { chain }), parameters: { ...ofExam?.parameters, ...ofSeries?.parameters }, source: `protocol ${protocol.name}` },
    }),
    ...(strength !== undefined && {
      operator: {
        denoisePercent: strength.percent,
        because: isHeld ? `the operator chose ${strength.chosenPercent}, which the protocol does not allow` : 'the operator chose it',
        source: `console, ${strength.by} at ${new Date(strength.at).toISOString()}`,
      },
    }),
  };
}

/** The strength of denoising that the command line fixes for every scan. @throws CodedError CONUS_ERR_PARAMETER */
export function fixedStrength({ overrides = {}, implied = [] }: ChoiceOptions): number | undefined {
  const value = overrides['denoise'] ?? implied.find(({ name }) => name === 'denoise')?.value;
  return value === undefined ? undefined : parseParameter('denoise', value, 'the command line');
}

/** The strength of denoising of a scan where neither operator nor client choose. */
export function standardStrength(options: ChoiceOptions, standards: Standards): (protocol: Protocol) => number {
  return ({ chain }) => fixedStrength(options) ?? parseParameter('denoise', chain?.parameters['denoise'] ?? standards.denoise?.value ?? 0, 'the protocol');
}
