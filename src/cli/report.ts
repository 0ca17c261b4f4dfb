/** `conus recon --report DIR`: looks on while a session runs, and writes one page a series when it is over. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AcquisitionHeader, MrdHeader, MrdImage } from 'ismrmrd';
import { planCartesian } from '../../recon/index.js';
import type { ReconImage, ReconNotice, ReconSummary } from '../../recon/index.js';
import type { Choice } from '../chain/index.js';
import type { DeliverySettings } from '../delivery/index.js';
import { ReadoutCensus } from '../raw/index.js';
import { seriesPage, SeriesReports } from '../report/index.js';
import type { ScanContent } from '../report/index.js';
import type { SessionAnswer, SessionObserver, SessionSummary } from '../session/index.js';
import { cliError } from './errors.js';

/** Stands before the answer of a session, which gets everything that it would get without. */
export class ReportedAnswer implements SessionAnswer, SessionObserver {
  readonly #answer: SessionAnswer;
  readonly #census = new ReadoutCensus();
  readonly #remarks: string[] = [];
  #reports: SeriesReports | undefined;
  #chosen: { readonly choice: Choice; readonly header: MrdHeader } | undefined;
  #summary: ReconSummary | undefined;

  constructor(answer: SessionAnswer) {
    this.#answer = answer;
  }

  chosen(choice: Choice, header: MrdHeader): void {
    this.#chosen = { choice, header };
  }

  readout(header: AcquisitionHeader): void {
    this.#census.add(header);
  }

  reconstructed(summary: ReconSummary): void {
    this.#summary = summary;
  }

  begin(header: MrdHeader, settings: DeliverySettings): void {
    this.#reports = new SeriesReports(header, settings);
    this.#answer.begin(header, settings);
  }

  image(image: ReconImage): void {
    this.#reports?.image(image);
    this.#answer.image(image);
  }

  returned(image: MrdImage): void {
    this.#answer.returned(image);
  }

  text(text: string): void {
    this.#remarks.push(text);
    this.#answer.text(text);
  }

  response(correlationId: bigint, response: string): void {
    this.#answer.response(correlationId, response);
  }

  dependency(attributes: string): void {
    this.#answer.dependency(attributes);
  }

  ready(): Promise<void> | undefined {
    return this.#answer.ready();
  }

  notices(): readonly ReconNotice[] {
    return this.#answer.notices();
  }

  close(): Promise<void> {
    return this.#answer.close();
  }

  /** @returns the pages that were written; none where there are no images. @throws CodedError CONUS_ERR_OUTPUT */
  async write(directory: string, { durationMs, lastReadoutToLastImageMs }: SessionSummary): Promise<string[]> {
    if (this.#chosen === undefined || this.#reports === undefined || this.#reports.series.length === 0) return [];
    const { choice, header } = this.#chosen;
    const scan: ScanContent = {
      header,
      choices: choice.decisions,
      planning: planCartesian(header, choice.parameters).decisions,
      readouts: this.#census.readouts,
      noise: this.#summary?.noise,
      stageMs: this.#summary?.stageMs ?? {},
      durationMs,
      lastReadoutToLastImageMs,
      remarks: this.#remarks,
    };
    const files: string[] = [];
    try {
      await mkdir(directory, { recursive: true });
      for (const series of this.#reports.series) {
        const file = join(directory, `series-${String(series.index).padStart(4, '0')}.html`);
        await writeFile(file, seriesPage(series, scan));
        files.push(file);
      }
    } catch (cause) {
      throw cliError('CONUS_ERR_OUTPUT', `${directory} (${(cause as Error).message})`, { cause });
    }
    return files;
  }
}
