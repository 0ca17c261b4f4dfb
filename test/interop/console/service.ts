/** `conus serve` with its console, in a process of its own, on free ports of the loopback. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { encodeClose, encodeHeader, encodeMessage, MessageId, parseHeader, parseMessages, serializeHeader } from 'ismrmrd';
import type { MrdMessage } from 'ismrmrd';

export const mainPath = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
if (!existsSync(mainPath)) throw new Error(`${mainPath} is not there: run npm run build first`);

export interface ConsoleServiceOptions {
  readonly parameters?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Of a former service, to go on with; else one that is gone at the end. */
  readonly data?: string;
  /** 0: any free one. */
  readonly httpPort?: number;
  readonly mrdPort?: number;
}

export class ConsoleService {
  readonly port: number;
  readonly httpPort: number;
  /** Of the console, with its token. */
  readonly address: string;
  readonly token: string;
  readonly data: string;
  readonly #child: ChildProcess;
  readonly #log: string[];

  private constructor(child: ChildProcess, log: string[], facts: { port: number; httpPort: number; address: string; data: string }) {
    this.#child = child;
    this.#log = log;
    this.port = facts.port;
    this.httpPort = facts.httpPort;
    this.address = facts.address;
    this.token = /#token=(.*)$/.exec(facts.address)?.[1] ?? '';
    this.data = facts.data;
  }

  static async start({ parameters = [], environment = {}, data, httpPort = 0, mrdPort = 0 }: ConsoleServiceOptions = {}): Promise<ConsoleService> {
    const folder = data ?? mkdtempSync(join(tmpdir(), 'conus-console-'));
    const child = spawn(process.execPath, [mainPath, 'serve', '--port', String(mrdPort), '--http', String(httpPort), '--data', folder, '--json', ...parameters], {
      stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, CONUS_DOORS_MAKE_TOKEN: 'true', ...environment },
    });
    const log: string[] = [];
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
    child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    const ended = once(child, 'exit');
    for (;;) {
      const address = /console: (\S+)/.exec(log.join(''))?.[1];
      const facts = factsIn(told);
      if (address !== undefined && facts !== undefined) return new ConsoleService(child, log, { port: facts.port, httpPort: facts.http.port, address, data: folder });
      const isOver = await Promise.race([ended.then(() => true), sleep(50).then(() => false)]);
      if (isOver) throw new Error(`conus serve ended: ${log.join('')}`);
    }
  }

  get log(): string {
    return this.#log.join('');
  }

  /** With its token. */
  api(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.httpPort}/${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** @throws with its log where it did not end well */
  async stop(isKept = false): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      const [status] = (await ended) as [number | null];
      if (status !== 0) throw new Error(`conus serve ended with ${String(status)}: ${this.log.slice(-4000)}`);
    }
    if (!isKept) rmSync(this.data, { recursive: true, force: true });
  }
}

function factsIn(told: string): { port: number; http: { port: number } } | undefined {
  try {
    return JSON.parse(told) as { port: number; http: { port: number } };
  } catch {
    return undefined;
  }
}

/** The stream as one of another patient, without a study of its own. @param series of the measurement; one a patient by default */
export function ofPatient(stream: Uint8Array, { id, name }: { readonly id: string; readonly name: string }, series?: { readonly measurementId: string; readonly description: string }): Buffer {
  const [config, header] = firstMessages(stream);
  const described = parseHeader(header.xml);
  const changed = serializeHeader({
    ...described,
    subjectInformation: { ...described.subjectInformation, patientID: id, patientName: name },
    studyInformation: Object.fromEntries(Object.entries(described.studyInformation ?? {}).filter(([key]) => key !== 'studyInstanceUID')),
    ...(described.measurementInformation !== undefined && { measurementInformation: {
      ...described.measurementInformation, measurementID: series?.measurementId ?? `m-${id}`, ...(series !== undefined && { seriesDescription: series.description, protocolName: series.description }),
    } }),
  });
  const nFirst = nBytesOf(config) + nBytesOf(header);
  return Buffer.concat([...encodeMessage(config), ...encodeHeader(changed), stream.subarray(nFirst)]);
}

const nBytesOf = (message: MrdMessage): number => encodeMessage(message).reduce((sum, part) => sum + part.length, 0);

/** A stream begins with its config and its header. */
function firstMessages(stream: Uint8Array): [config: MrdMessage, header: MrdMessage & { kind: 'header' }] {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const nConfig = view.getUint16(0, true) === MessageId.configFile ? 2 + 1024 : 2 + 4 + view.getUint32(2, true);
  const nHeader = 2 + 4 + view.getUint32(nConfig + 2, true);
  const [config, header] = parseMessages(Buffer.concat([stream.subarray(0, nConfig + nHeader), ...encodeClose()]));
  if (config === undefined || header?.kind !== 'header') throw new Error('a stream that does not begin with its config and its header');
  return [config, header];
}
