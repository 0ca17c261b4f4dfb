/** What is simulated, as plain data: it goes to every thread, and each makes the same of it. */
import type { Volume } from '../../imaging/index.js';
import type { Protocol } from '../../protocols/index.js';
import {
  anatomyObject, bodyOf, buildPatient, CtScan, imageObject, SeriesScan,
  type CtOptions, type PatientRecord, type ScannedObject, type SeriesScanOptions, type SimulatedPatient,
} from '../../simulator/index.js';
import { simulationError } from './errors.js';

/** What lies in the scanner. */
export type SubjectSpec =
  | { readonly kind: 'patient'; readonly record: PatientRecord }
  /** `gain`: signal of a pixel of value 1. */
  | { readonly kind: 'picture'; readonly volume: Volume; readonly gain: number };

/** The part of a scan's options that is plain data. */
export type ScanSpec = Partial<
  Pick<SeriesScanOptions, 'config' | 'parameters' | 'seed' | 'nCoils' | 'snr' | 'brokenCoils' | 'motion' | 'motionAmplitudeMm' | 'pulsation'>
>;

export interface ExamSpec {
  /** Inversion times may be `auto`: the null of this person's fat. */
  readonly protocol: Protocol;
  readonly subject: SubjectSpec;
  readonly scan: ScanSpec;
  readonly ct: Partial<CtOptions>;
}

/** An exam ready to be scanned, on one thread. */
export class PreparedExam {
  readonly spec: ExamSpec;
  readonly patient: SimulatedPatient | undefined;
  readonly #object: ScannedObject;
  readonly #scans = new Map<string, SeriesScan>();
  #ct: CtScan | undefined;

  constructor(spec: ExamSpec) {
    this.spec = spec;
    const { subject, protocol } = spec;
    if (subject.kind === 'patient') {
      this.patient = buildPatient(subject.record, protocol.fieldStrengthT);
      this.#object = anatomyObject(this.patient.anatomy);
    } else {
      this.#object = imageObject(subject.volume, subject.gain);
    }
  }

  /** The scan of a series of the protocol; made once. @throws CodedError CONUS_ERR_SERIES */
  scan(seriesId: string): SeriesScan {
    const known = this.#scans.get(seriesId);
    if (known !== undefined) return known;
    const { protocol, scan, subject } = this.spec;
    const index = protocol.series.findIndex(({ id }) => id === seriesId);
    if (index < 0) throw simulationError('CONUS_ERR_SERIES', `"${seriesId}"; ${protocol.name} has ${protocol.series.map(({ id }) => id).join(', ')}`);
    const made = new SeriesScan(protocol, protocol.series[index]!, this.#object, {
      ...scan,
      // Series differ in their noise, heart beats and breaths, and a series alone is the same as among others.
      examSeed: scan.seed ?? 1,
      seed: ((scan.seed ?? 1) + Math.imul(index, 0x9e37_79b1)) >>> 0,
      ...(this.patient === undefined ? {} : { fat: this.patient.fat, discs: this.patient.discs }),
      ...(subject.kind === 'picture' && { regionCentreMm: subject.volume.geometry.centreMm }),
    });
    this.#scans.set(seriesId, made);
    return made;
  }

  /** The CT scan of the patient. @throws CodedError CONUS_ERR_PICTURE for a picture, SIM_ERR_OPTION */
  get ct(): CtScan {
    if (this.patient === undefined) throw simulationError('CONUS_ERR_PICTURE', 'a picture, of which the CT numbers are not known');
    return (this.#ct ??= new CtScan(bodyOf(this.patient.anatomy), this.spec.ct));
  }
}
