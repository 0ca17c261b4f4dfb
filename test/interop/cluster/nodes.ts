/** Nodes: `conus serve`, each in a process and with a data folder of its own, configured by a file as a site would. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import { freePort } from '../archive.js';
import { Daemon } from './daemon.js';
import type { Site } from './site.js';

const mainPath = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));

export interface NodeOptions {
  readonly name: string;
  /** Its configuration and its data are kept there. */
  readonly folder: string;
  readonly site: Site;
  /** As an archive names itself, dicom://…; series go there. */
  readonly destination: string;
  /** Sections of the configuration beside what all nodes have. */
  readonly sections?: { readonly cluster?: object; readonly mrd?: object; readonly [name: string]: unknown };
  /** Of another build. */
  readonly mainPath?: string;
  /** The one core that it may use. */
  readonly core?: number;
}

/** What nodes have beside when they share their work. The folder of the store is there: a share that is not mounted is no store. */
export function sharing(redisUrl: string, folder: string): NonNullable<NodeOptions['sections']> {
  const directory = join(folder, 'store');
  mkdirSync(directory, { recursive: true });
  return { cluster: { redisUrl }, storage: { directory } };
}

export class Node {
  readonly name: string;
  readonly mrd: number;
  readonly http: number;
  readonly data: string;
  readonly configPath: string;
  readonly #options: NodeOptions;
  #daemon: Daemon | undefined;
  #earlierLogs = '';

  static async start(options: NodeOptions): Promise<Node> {
    const node = new Node(options, { mrd: await freePort(), http: await freePort() });
    await node.comes();
    return node;
  }

  private constructor(options: NodeOptions, { mrd, http }: { readonly mrd: number; readonly http: number }) {
    const { name, folder, site, destination, sections: { cluster, mrd: ofMrd, ...sections } = {} } = options;
    this.name = name;
    this.mrd = mrd;
    this.http = http;
    this.data = join(folder, name);
    this.#options = options;
    this.configPath = join(folder, `${name}.json`);
    const [, aeTitle, host, port] = /^dicom:\/\/(.*)@(.*):(\d+)$/.exec(destination) ?? [];
    mkdirSync(folder, { recursive: true });
    writeFileSync(this.configPath, JSON.stringify({
      mrd: { port: mrd, ...ofMrd },
      http: { port: http },
      doors: { requestsPerSecond: 1000, burst: 10_000 },
      spool: { data: this.data, firstDelayS: 0.2, longestDelayS: 1 },
      dicom: { destinations: { archive: { kind: 'dicom', aeTitle, host, port: Number(port) } } },
      exams: { protocol: site.protocol },
      synthesis: { model: site.synthesisModel },
      ...(cluster !== undefined && { cluster: { ...cluster, node: name } }),
      ...sections,
    }));
  }

  /** Until it is ready, on the data that it had. */
  async comes(): Promise<void> {
    const { site, core } = this.#options;
    const parameters = [this.#options.mainPath ?? mainPath, 'serve', '--config', this.configPath, '--models', site.models, '--threads', '1', '--model-threads', '1'];
    const daemon = core === undefined ? await Daemon.start(process.execPath, parameters) : await Daemon.start('taskset', ['-c', String(core), process.execPath, ...parameters]);
    this.#daemon = daemon;
    await daemon.until(async () => (await this.isReady()) || undefined);
  }

  get pid(): number {
    return this.#daemon!.pid;
  }

  async isReady(): Promise<boolean> {
    return fetch(`http://127.0.0.1:${this.http}/ready`).then(({ ok }) => ok, () => false);
  }

  get log(): string {
    return this.#earlierLogs + (this.#daemon?.stderr ?? '');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** @throws with its log where it did not end well */
  async stop(): Promise<void> {
    const status = await this.#end('SIGTERM');
    if (status !== 0) throw new Error(`${this.name} ended with ${String(status)}: ${this.log.slice(-4000)}`);
  }

  async #end(signal: NodeJS.Signals): Promise<number | undefined> {
    const daemon = this.#daemon;
    if (daemon === undefined) return 0;
    const status = await daemon.end(signal);
    this.#earlierLogs = this.log;
    this.#daemon = undefined;
    return status;
  }

  async json(path: string): Promise<unknown> {
    const answer = await fetch(`http://127.0.0.1:${this.http}/${path}`);
    if (!answer.ok) throw new Error(`${this.name} answers ${answer.status} to ${path}: ${await answer.text()}`);
    return answer.json();
  }

  /** What it tells of every exam. */
  async exams(): Promise<ExamView[]> {
    const { exams } = (await this.json('api/exams')) as { exams: { id: string }[] };
    return Promise.all(exams.map(async ({ id }) => examSchema.parse(await this.json(`api/exams/${id}`))));
  }
}
