/**
 * The values of every scale, from healthy to worst, with how bad each is where the scale says so. Modic types, the form of
 * a fracture and its age have no order. Schizas 2010, doi 10.1097/BRS.0b013e3181d359bd: B is moderate, C severe, D extreme
 * stenosis. Pfirrmann 2001, doi 10.1097/00007632-200109010-00011: from grade 3 on the disc is no longer bright.
 */
import { scales } from './scales.js';
import type { Grade, Severity } from './types.js';

export type GradeScale = Grade['scale'];

type Values = readonly (readonly [value: string, severity?: Severity])[];

const bySeverity: Values = scales.centralCanal.grades.map((value) => [value, value]);
const fourGrades: Values = scales.genant.grades.map((value, index) => [value, scales.centralCanal.grades[index]!]);
const ordered = (...pairs: readonly (readonly [string, Severity])[]): Values => pairs;
const named = (...values: readonly string[]): Values => values.map((value) => (value === 'none' ? [value, 'normal'] : [value]));

export const gradeValues: Readonly<Record<GradeScale, Values>> = {
  centralCanal: bySeverity,
  lateralRecess: bySeverity,
  foramen: bySeverity,
  canalDiameter: ordered(['normal', 'normal'], ['relative', 'moderate'], ['absolute', 'severe']),
  herniationSize: ordered(['mild', 'mild'], ['moderate', 'moderate'], ['severe', 'severe']),
  genant: fourGrades,
  facetWidth: fourGrades,
  meyerding: ordered(['0', 'normal'], ['1', 'mild'], ['2', 'moderate'], ['3', 'severe'], ['4', 'severe'], ['5', 'severe']),
  pfirrmann: ordered(['1', 'normal'], ['2', 'normal'], ['3', 'mild'], ['4', 'moderate'], ['5', 'severe']),
  schizas: ordered(['A', 'normal'], ['B', 'moderate'], ['C', 'severe'], ['D', 'severe']),
  displacement: [['none', 'normal'], ['bulge', 'mild'], ['protrusion'], ['extrusion'], ['sequestration']],
  modic: named('none', '1', '2', '3', '1/2', '2/3', '1/3'),
  genantType: named('none', 'wedge', 'biconcave', 'crush'),
  fractureAge: named('none', 'old', 'acute'),
  imll: ordered(['none', 'normal'], ['short', 'moderate'], ['extensive', 'severe']),
  basic: ordered(['0', 'normal'], ['1', 'mild'], ['2', 'moderate'], ['3', 'severe'], ['4', 'severe']),
};

/** The grade of this value, or undefined where the scale does not have it. */
export function gradeAs(scale: GradeScale, value: string): Grade | undefined {
  const known = gradeValues[scale].find(([name]) => name === value);
  if (known === undefined) return undefined;
  return { scale, value, ...(known[1] !== undefined && { severity: known[1] }) };
}
