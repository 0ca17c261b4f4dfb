/**
 * A simulated patient: a person drawn from a seed, with what ails them. The record is plain data from
 * which the anatomy can be built anew, on another thread or another day.
 */
import { CodedError } from 'ismrmrd';
import { fatAt, type Fat, type FieldStrengthT } from '../imaging/index.js';
import type { Anatomy, Frame } from './anatomy/index.js';
import {
  adjustPlaced, lesionBuilders, lesionCodes, parsePathologies, placePathologies, type PlacedFinding,
} from './pathology/index.js';
import { Random } from './random.js';
import { builtVertebrae, buildSpine, drawSpine, seedOf, type PopulationOptions, type SpinePlan, type SpineScene } from './spine/index.js';
import { measureTruth, type Truth } from './truth/index.js';

export interface PatientOptions extends PopulationOptions {
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  /** As `parsePathologies` reads it; none where absent. */
  readonly pathology?: string;
}

/** Plain data. */
export interface PatientRecord {
  readonly plan: SpinePlan;
  readonly findings: readonly PlacedFinding[];
}

export interface SimulatedPatient {
  readonly record: PatientRecord;
  readonly anatomy: Anatomy;
  readonly scene: SpineScene;
  /** This person's triglyceride. */
  readonly fat: Fat;
  /** The discs' frames by their names. */
  readonly discs: ReadonlyMap<string, Frame>;
}

/** Between persons, relative: temperature and composition. */
const fatT1Spread = 0.03;

/**
 * Draws a person and places what is asked for: severities are met as measured on the label maps. Where the
 * number of lumbar vertebrae is left open, it is one that has the levels that are asked for.
 * @throws SIM_ERR_OPTION, SIM_ERR_PATHOLOGY
 */
export function drawPatient(options: PatientOptions, fieldStrengthT: FieldStrengthT): PatientRecord {
  const { plan, requests } = drawWithLevels(options);
  if (requests.length === 0) return { plan, findings: [] };
  const { plan: ailing, findings } = placePathologies(plan, requests, {
    fieldStrengthT,
    levels: builtVertebrae(plan),
    build: (tried) => buildSpine(tried, { fieldStrengthT, lesionBuilders }),
  });
  return { plan: ailing, findings };
}

function drawWithLevels({ seed, pathology = '', ...population }: PatientOptions): { plan: SpinePlan; requests: ReturnType<typeof parsePathologies> } {
  const drawn = (nLumbar: PopulationOptions['nLumbar']) => {
    const plan = drawSpine(seed, nLumbar === undefined ? population : { ...population, nLumbar });
    return { plan, requests: pathology.trim() === '' ? [] : parsePathologies(pathology, plan.vertebrae.map(({ name }) => name)) };
  };
  try {
    return drawn(population.nLumbar);
  } catch (error) {
    if (population.nLumbar !== undefined || !(error instanceof CodedError) || error.code !== 'SIM_ERR_PATHOLOGY') throw error;
  }
  try {
    return drawn(5);
  } catch (error) {
    // L6 is asked for, or something that no spine has: then the usual spine's levels are the ones to name.
    try {
      return drawn(6);
    } catch {
      throw error;
    }
  }
}

/** @throws SIM_ERR_SPINE */
export function buildPatient(record: PatientRecord, fieldStrengthT: FieldStrengthT): SimulatedPatient {
  const { plan, findings } = record;
  const { anatomy, scene } = buildSpine(plan, { fieldStrengthT, lesionBuilders });
  const random = new Random(seedOf(plan.seed, 'fat'));
  const fat = fatAt(fieldStrengthT);
  return {
    record,
    anatomy: adjustPlaced(anatomy, findings),
    scene,
    fat: { ...fat, t1Ms: fat.t1Ms * (1 + fatT1Spread * Math.max(-2, Math.min(2, random.normal()))) },
    discs: new Map([...scene.segments].map(([name, { frame }]) => [name, frame])),
  };
}

/** Every measurement and grade of the patient, on the label maps. */
export function patientTruth({ record: { findings }, anatomy, scene }: SimulatedPatient, fieldStrengthT: FieldStrengthT): Truth {
  return measureTruth({ anatomy, scene, fieldStrengthT, findings: [...findings], lesionCodes });
}
