/**
 * Requests -> findings -> a plan in which they are measured as they were asked for.
 *
 * 1. What a request leaves open, its level, grade and keys, is drawn; a value within the grade is drawn as target.
 * 2. Findings change the plan in the order of registry.ts, each with its dose.
 * 3. Doses are solved for one after the other (solve.ts), on label maps of the plan with all findings in it. As
 *    findings bear on one another, this is repeated until every grade is met, `mostRounds` times at most.
 */
import type { FieldStrengthT } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import { Random } from '../random.js';
import { seedOf, type SpinePlan, type SpineScene } from '../spine/index.js';
import type { Anatomy } from '../anatomy/index.js';
import { gradeOf } from '../truth/grades.js';
import { levelsOf, type PathologyRequest, type RandomRequest } from './grammar.js';
import { kindEntry, type KindName } from './kinds.js';
import type { Built, Finding, Measure } from './pathology.js';
import { checkTogether, clash } from './together.js';
import { drawFindings, drawLevel } from './prevalence.js';
import { kindOrder, pathologies } from './registry.js';
import { drawTarget, type GradeSampling } from './severity.js';
import { solveDose } from './solve.js';

export interface PlacedFinding extends Finding {
  /** In the unit of its scale, on the label maps of the final plan. */
  readonly measured?: number;
  /** How strong it had to be made. */
  readonly dose: number;
}

export interface Placement {
  readonly plan: SpinePlan;
  readonly findings: readonly PlacedFinding[];
}

export interface PlaceOptions {
  readonly fieldStrengthT: FieldStrengthT;
  /** Draws what is left open; another seed, other findings. Absent: the plan's. */
  readonly seed?: number;
  /** Levels that are built, hence can be measured. */
  readonly levels: readonly string[];
  readonly build: (plan: SpinePlan) => { readonly anatomy: Anatomy; readonly scene: SpineScene };
}

const mostRounds = 3;

/**
 * What `random` drew and this spine cannot have is left out; what was asked for by name is not.
 * @throws SIM_ERR_PATHOLOGY where requests contradict one another or cannot be met
 */
export function placePathologies(plan: SpinePlan, requests: readonly (PathologyRequest | RandomRequest)[], options: PlaceOptions): Placement {
  const resolved = resolve(plan, requests, options.seed ?? plan.seed, options.levels);
  for (let findings = resolved.findings; ; ) {
    const placed = tryToPlace(plan, findings, options);
    if (!('refused' in placed)) return placed;
    const { refused, why } = placed;
    if (!resolved.drawn.has(refused)) throw unmet(refused, why);
    findings = findings.filter((finding) => finding !== refused);
  }
}

function tryToPlace(plan: SpinePlan, findings: readonly Finding[], options: PlaceOptions): Placement | { readonly refused: Finding; readonly why: string } {
  const doses = new Map<Finding, number>();
  type Trial = readonly [Finding, number];
  const doseOf = (finding: Finding, trial?: Trial) => (trial?.[0] === finding ? trial[1] : (doses.get(finding) ?? 1));
  const planWith = (trial?: Trial) => findings.reduce((so, finding) => pathologies[finding.kind].change(so, finding, doseOf(finding, trial)), plan);
  const adjusted = (anatomy: Anatomy, trial?: Trial) =>
    findings.reduce((so, finding) => pathologies[finding.kind].adjust?.(so, finding, doseOf(finding, trial)) ?? so, anatomy);
  const builtWith = (trial?: Trial): Built => {
    const { anatomy, scene } = options.build(planWith(trial));
    return { anatomy: adjusted(anatomy, trial), scene, fieldStrengthT: options.fieldStrengthT };
  };
  const measured = findings.filter((finding) => finding.target !== undefined);
  for (const finding of measured) doses.set(finding, healthiestDose(measureOf(finding.kind)!));

  let values = new Map<Finding, number | undefined>();
  for (let round = 0; round < mostRounds; round++) {
    for (const finding of measured) {
      if (round > 0 && isMet(finding, values.get(finding))) continue;
      const solution = solveDose(measureOf(finding.kind)!, finding.target!, (dose) => measureOf(finding.kind)!.of(builtWith([finding, dose]), finding));
      if (solution === undefined) return { refused: finding, why: 'nothing of it can be measured there' };
      doses.set(finding, solution.dose);
    }
    const built = builtWith();
    values = new Map(measured.map((finding) => [finding, measureOf(finding.kind)!.of(built, finding)]));
    if (measured.every((finding) => isMet(finding, values.get(finding)))) break;
  }
  const final = builtWith();
  for (const finding of measured) {
    const value = values.get(finding);
    if (measureOf(finding.kind)!.confirms?.(final, finding) === false) return { refused: finding, why: 'it would look like something else beside the other findings' };
    if (isMet(finding, value)) continue;
    const { scale } = measureOf(finding.kind)!;
    const why = value === undefined ? 'nothing of it can be measured there' : `${gradeOf(scale, value)} (${value.toFixed(2)} ${scale.unit}) is what this spine and the other findings allow`;
    return { refused: finding, why };
  }
  return {
    plan: planWith(),
    findings: findings.map((finding) => ({ ...finding, dose: doseOf(finding), ...(values.get(finding) === undefined ? {} : { measured: values.get(finding)! }) })),
  };
}

/** What of findings is no matter of the plan, done to an anatomy that was built of it. */
export function adjustPlaced(anatomy: Anatomy, findings: readonly PlacedFinding[]): Anatomy {
  return findings.reduce((so, finding) => pathologies[finding.kind].adjust?.(so, finding, finding.dose) ?? so, anatomy);
}

function measureOf(kind: KindName): Measure | undefined {
  return pathologies[kind].measure;
}

/** The end of the doses at which least is wrong. */
function healthiestDose({ doses: [healthiest] }: Measure): number {
  return healthiest;
}

function isMet(finding: Finding, value: number | undefined): boolean {
  if (value === undefined) return false;
  const { scale, tolerance } = measureOf(finding.kind)!;
  // Without a grade, the target itself is what was asked for.
  return finding.grade === undefined ? Math.abs(value - finding.target!) <= 2 * tolerance : gradeOf(scale, value) === finding.grade;
}

function unmet({ kind, level, grade, options }: Finding, why: string): Error {
  const side = options.side === undefined ? '' : `:side=${options.side}`;
  return simulatorError('SIM_ERR_PATHOLOGY', `${[kind, level, grade].filter((part) => part !== undefined && part !== '').join(':')}${side}: ${why}`);
}

interface ResolvedFindings {
  readonly findings: readonly Finding[];
  /** Those that nobody asked for by name. */
  readonly drawn: ReadonlySet<Finding>;
}

/** Nothing left open, one side each, in the order in which they change the plan. */
function resolve(plan: SpinePlan, requests: readonly (PathologyRequest | RandomRequest)[], seed: number, levels: readonly string[]): ResolvedFindings {
  const asked = requests.flatMap((request, index): { request: PathologyRequest; sampling: GradeSampling; isDrawn: boolean }[] => {
    if (request.kind !== 'random') return [{ request, sampling: 'prevalence', isDrawn: false }];
    const random = new Random(seedOf(seed, `random ${index}`));
    return drawFindings(plan, request, levels, random).map((drawn) => ({ request: drawn, sampling: request.grades, isDrawn: true }));
  });
  const all = asked.flatMap(({ request, sampling, isDrawn }, index) =>
    completed(request, seedOf(seed, `finding ${index} ${request.kind}`), sampling, levels).map((finding) => ({ finding, isDrawn })));
  const named = all.flatMap(({ finding, isDrawn }) => (isDrawn ? [] : [finding]));
  checkTogether(named);
  const drawn: Finding[] = [];
  for (const { finding, isDrawn } of all) {
    if (isDrawn && ![...named, ...drawn].some((other) => clash(other, finding))) drawn.push(finding);
  }
  const findings = [...named, ...drawn].sort((a, b) => kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind));
  return { findings, drawn: new Set(drawn) };
}

function completed({ kind, level, grade, options }: PathologyRequest, seed: number, sampling: GradeSampling, levels: readonly string[]): Finding[] {
  const entry = kindEntry(kind);
  const { draw, measure } = pathologies[kind];
  const random = new Random(seed);
  const places = levelsOf(entry.site, levels);
  const place = level ?? drawLevel(kind, places, random);
  if (entry.site !== 'muscle' && !places.includes(place)) {
    throw simulatorError('SIM_ERR_PATHOLOGY', `${kind}:${place}: this region of the spine has ${places.join(' ')}`);
  }
  const drawnGrade = entry.grades[Math.floor(random.uniform() * entry.grades.length)];
  const itsGrade = grade ?? drawnGrade;
  const all = { ...draw?.(random, place, itsGrade), ...options };
  return (all.side === 'both' ? ['left', 'right'] : [all.side]).map((side): Finding => {
    const own = side === undefined ? all : { ...all, side };
    const target = measure === undefined ? undefined : itsGrade === undefined ? Number(own.mm) : drawTarget(measure, itsGrade, random, sampling);
    return {
      kind, level: place, options: own, seed,
      ...(itsGrade === undefined ? {} : { grade: itsGrade }),
      ...(target === undefined ? {} : { target }),
    };
  });
}
