/** Which findings one place cannot have together. */
import { simulatorError } from '../errors.js';
import type { KindName } from './kinds.js';
import type { Finding } from './pathology.js';

type Placed = Pick<Finding, 'kind' | 'level' | 'options'>;

/** Kinds of which a place can have but one. */
const exclusive: readonly (readonly KindName[])[] = [
  ['bulge', 'protrusion', 'extrusion'],
  ['modic1', 'modic2', 'modic3', 'modicmixed', 'spondylodiscitis'],
  ['degeneration', 'spondylodiscitis'],
  ['stenosis'], ['recess'], ['foramen'], ['facet'], ['listhesis'], ['fracture', 'metastasis'], ['haemangioma'], ['fatty'],
];

export function clash(a: Placed, b: Placed): boolean {
  if (a.level !== b.level || !exclusive.some((group) => group.includes(a.kind) && group.includes(b.kind))) return false;
  return a.options.side === undefined || b.options.side === undefined || a.kind !== b.kind || a.options.side === b.options.side;
}

/** @throws SIM_ERR_PATHOLOGY */
export function checkTogether(findings: readonly Placed[]): void {
  findings.forEach((finding, index) => {
    const other = findings.slice(0, index).find((earlier) => clash(earlier, finding));
    if (other !== undefined) {
      throw simulatorError('SIM_ERR_PATHOLOGY', `${other.kind} and ${finding.kind}, both at ${finding.level || 'the muscles'}: one place has one of ${exclusive.find((group) => group.includes(finding.kind))!.join(', ')}`);
    }
  });
}
