/** A simulated exam: its series as streams, each simulated on all threads and then played; its CT slices. */
import { encodeMessage, type MrdMessage } from 'ismrmrd';
import { tickMs, type CtSlice } from '../../simulator/index.js';
import type { TimedMessage } from './pacing.js';
import { SimulationPool } from './pool.js';
import { PreparedExam, type ExamSpec } from './spec.js';

export class SimulatedExam {
  readonly prepared: PreparedExam;
  readonly #pool: SimulationPool;

  /** @param threads worker threads; one a core where undefined */
  constructor(spec: ExamSpec, threads?: number) {
    this.prepared = new PreparedExam(spec);
    this.#pool = new SimulationPool(spec, threads);
  }

  /**
   * Simulates a series into memory.
   * @param progress told how many slices are done
   * @throws CodedError (as a rejection) CONUS_ERR_SERIES, CONUS_ERR_SIMULATION
   */
  async simulate(seriesId: string, progress: (nSlices: number) => void = () => undefined): Promise<SimulatedSeries> {
    const scan = this.prepared.scan(seriesId);
    let nDone = 0;
    const slices = await Promise.all(
      Array.from({ length: scan.nSlices }, async (_, slice) => {
        const { readouts } = await this.#pool.run({ kind: 'mr', seriesId, slice });
        progress((nDone += 1));
        return readouts;
      }),
    );
    return new SimulatedSeries([...scan.messages((slice) => slices[slice]!)], scan.durationMs);
  }

  /** The CT slices in their order, each at every dose and with every kernel. @throws CodedError (as a rejection) CONUS_ERR_SIMULATION */
  async *ctSlices(): AsyncGenerator<readonly CtSlice[], void, undefined> {
    const { nSlices } = this.prepared.ct.options;
    const running = Array.from({ length: nSlices }, (_, slice) => this.#pool.run({ kind: 'ct', slice }));
    // A later slice may fail while an earlier one is still awaited.
    for (const slice of running) slice.catch(() => undefined);
    for (const slice of running) yield (await slice).ct;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}

/** A series that is simulated: its stream, to be played as often as one likes. */
export class SimulatedSeries {
  readonly messages: readonly MrdMessage[];
  /** Of the scan, with its preparation. */
  readonly durationMs: number;

  constructor(messages: readonly MrdMessage[], durationMs: number) {
    this.messages = messages;
    this.durationMs = durationMs;
  }

  get nReadouts(): number {
    return this.messages.filter(({ kind }) => kind === 'acquisition').length;
  }

  /** The stream with the times of the scanner: the first readout begins it. */
  *timed(): Generator<TimedMessage, void, undefined> {
    let first: number | undefined;
    let dueMs = 0;
    for (const message of this.messages) {
      if (message.kind === 'acquisition') {
        const { acquisitionTimeStamp } = message.acquisition.header;
        first ??= acquisitionTimeStamp;
        dueMs = (acquisitionTimeStamp - first) * tickMs;
      }
      yield { parts: encodeMessage(message), dueMs };
    }
  }
}
