/**
 * The DICOM part of the service: takes images from elsewhere, keeps them in the data folder, tells the exams, and passes
 * complete series on to the destinations whose rules ask for that. A sender is answered when the disk holds both the
 * object and the record of it.
 */
import { destinationsForReceived, DicomReceiver, ReceivedSeries, receiverOptionsOf } from '../dicom/index.js';
import type { CommitmentReports, DeliverableSeries, ReceivedObject, ReceivedResult, StoredInstance } from '../dicom/index.js';
import type { DicomConfig } from '../config/dicom.js';
import { dicomError } from '../dicom/errors.js';
import { checkDoor } from '../doors/index.js';
import { nearestPlane, withoutEmpty } from '../exams/index.js';
import type { ExamBook, ExamEvent, SourceFacts } from '../exams/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { listening } from '../server/index.js';
import type { Address } from '../server/index.js';
import type { Spool } from '../spool/index.js';
import type { ServicePart } from './parts.js';

export interface DicomPart extends ServicePart {
  readonly address: Address;
  /** What was received of a series, in the order of its identifiers. */
  instancesOf(seriesInstanceUid: string): StoredInstance[];
}

export interface DicomNeighbours {
  /** Images are taken only where they can be kept. */
  readonly spool: Pick<Spool, 'objects' | 'table' | 'transaction' | 'outbox'> | undefined;
  readonly exams: { apply(event: ExamEvent): void; settled(): Promise<void>; readonly book: Pick<ExamBook, 'ofReceived' | 'roleAt'> } | undefined;
  /** Shared with the senders, so that reports reach who waits for them. */
  readonly reports: CommitmentReports;
  /** Downstream stages that are DICOM nodes, and who takes what they send. */
  readonly results?: ResultTaker | undefined;
  /** Counts what comes in and what is not taken. */
  readonly metrics?: Pick<Metrics, 'dicomReceived' | 'dicomRefused'>;
  readonly log: Logger;
}

export interface ResultTaker {
  /** Titles of the stages. */
  readonly from: ReadonlySet<string>;
  /** Resolves when the result is durable. */
  received(result: ReceivedResult): Promise<void>;
  associationClosed(associationId: string): void;
}

interface Incoming {
  readonly about: DeliverableSeries;
  readonly callingAe: string;
}

/** @returns undefined where no port is configured. @throws CodedError CONUS_ERR_LISTEN, CONUS_ERR_DOOR_UNGUARDED, DICOM_ERR_DESTINATION, DICOM_ERR_OBJECT_STORE */
export async function startDicom(config: DicomConfig, { spool, exams, reports, results, metrics, log }: DicomNeighbours): Promise<DicomPart | undefined> {
  const options = await receiverOptionsOf(config);
  if (options === undefined) return undefined;
  if (spool === undefined) throw dicomError('DICOM_ERR_OBJECT_STORE', 'a receiver of images and no data folder');
  // A known title is no proof of who calls, so that outside of this machine it does not do alone.
  checkDoor('dicom', options.host, {
    tls: options.tls !== undefined,
    knownAeTitles: options.callingAeTitles !== undefined,
    clientCertificates: options.tls?.clientAuthorities !== undefined,
  });
  const records = spool.table<StoredInstance>('dicom.received');
  const series = new ReceivedSeries(config.receiver.quietTimeS * 1000);
  const instancesOf = (seriesInstanceUid: string) => [...records.range([seriesInstanceUid])].map(({ value }) => value);
  // Of series that are coming in: what decides where they are passed on to.
  const incoming = new Map<string, Incoming>();
  series.on('complete', ({ seriesInstanceUid }) => {
    exams?.apply({ kind: 'dicomSeriesComplete', at: Date.now(), seriesInstanceUid });
    const series = incoming.get(seriesInstanceUid);
    incoming.delete(seriesInstanceUid);
    if (series !== undefined) void (exams?.settled() ?? Promise.resolve()).then(() => passOn(seriesInstanceUid, series));
  });
  const passOn = (seriesInstanceUid: string, series: Incoming) => {
    const place = exams?.book.ofReceived(seriesInstanceUid);
    const role = place === undefined ? undefined : exams?.book.roleAt(place);
    const names = destinationsForReceived(config, { ...series.about, ...(role !== undefined && { role }) }, series.callingAe);
    if (names.length === 0) return;
    const instances = instancesOf(seriesInstanceUid);
    const examId = place === undefined ? seriesInstanceUid : `${place.examId}/${place.seriesId}`;
    spool
      .transaction(() => names.forEach((destination) => spool.outbox.add({ destination, examId, instances })))
      .catch((error: { code?: string }) => log.error({ code: error.code ?? 'unknown' }, 'a received series could not be passed on'));
  };

  const keep = async (object: ReceivedObject): Promise<void> => {
    const { identity, file } = object;
    const key = [identity.seriesInstanceUid, identity.sopInstanceUid];
    const holder = `dicom/${identity.sopInstanceUid}`;
    const ref = await spool.objects.put(file);
    await records.transaction(() => {
      const known = records.get(key);
      spool.objects.hold(ref, holder);
      // The same instance sent again with other bytes replaces what was there.
      if (known !== undefined && known.ref !== ref) spool.objects.release(known.ref, holder);
      records.put(key, { ...identity, ref, nBytes: file.length });
    });
    const { callingAe, facts } = object;
    const about = { modality: facts.modality, sopClassUid: identity.sopClassUid, ...(facts.seriesDescription !== undefined && { description: facts.seriesDescription }) };
    incoming.set(identity.seriesInstanceUid, { about, callingAe });
    const { seriesInstanceUid, sopInstanceUid } = identity;
    exams?.apply({ kind: 'dicomReceived', at: Date.now(), seriesInstanceUid, sopInstanceUid, facts: sourceFactsOf(object) });
    metrics?.dicomReceived();
    // After the exam knows of it: this may complete the series.
    series.add(object);
  };

  const receiver = new DicomReceiver(
    { ...options, ...(results !== undefined && { resultsFrom: results.from }) },
    {
      received: keep,
      refused: (code) => metrics?.dicomRefused(code),
      ...(results !== undefined && { resultReceived: (result: ReceivedResult) => results.received(result) }),
      associationClosed: ({ id }) => {
        series.associationClosed(id);
        results?.associationClosed(id);
      },
      committed: (report) => reports.report(report),
    },
    log.child({ part: 'dicom' }),
  );
  const address = await listening({ host: options.host, port: options.port }, () => receiver.listen());
  return {
    name: 'dicom',
    address,
    instancesOf,
    async close() {
      await receiver.close();
      series.close();
    },
  };
}

export function sourceFactsOf({ facts, identity, patientAndStudy, normal }: Pick<ReceivedObject, 'facts' | 'identity' | 'patientAndStudy' | 'normal'>): SourceFacts {
  const text = (keyword: string) => {
    const value = patientAndStudy[keyword];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  return withoutEmpty({
    patient: withoutEmpty({
      id: text('PatientID'), name: personName(patientAndStudy['PatientName']), birthDate: text('PatientBirthDate'), sex: text('PatientSex'),
    }),
    studyInstanceUid: identity.studyInstanceUid,
    studyId: text('StudyID'),
    studyDescription: text('StudyDescription'),
    accessionNumber: text('AccessionNumber'),
    bodyPart: facts.bodyPart,
    seriesNumber: facts.seriesNumber,
    seriesDescription: facts.seriesDescription,
    protocolName: facts.protocolName,
    modality: facts.modality,
    fieldStrengthT: facts.fieldStrengthT,
    orientation: normal === undefined ? undefined : nearestPlane(normal),
    trMs: facts.repetitionTimeMs,
    teMs: facts.echoTimeMs,
    tiMs: facts.inversionTimeMs,
    inversion: facts.scanningSequence?.includes('IR') ?? (facts.inversionTimeMs === undefined ? undefined : true),
    nImages: facts.imagesInAcquisition,
    isSimulated: facts.isSynthetic ? true : undefined,
  });
}

/** dcmjs gives a person's name as its component groups. */
function personName(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first === 'string') return first;
  const alphabetic = (first as { Alphabetic?: unknown } | undefined)?.Alphabetic;
  return typeof alphabetic === 'string' ? alphabetic : undefined;
}
