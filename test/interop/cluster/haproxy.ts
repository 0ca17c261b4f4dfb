/** Debian's haproxy with the configuration that deploy/ has for everybody, in front of nodes on the loopback. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { freePort } from '../archive.js';
import { Daemon } from './daemon.js';

const documented = readFileSync(fileURLToPath(new URL('../../../deploy/haproxy.cfg', import.meta.url)), 'utf8');

/** Ports of the documented configuration. */
const ports = { mrd: 9002, http: 8080, dicom: 11112 } as const;
export type Front = keyof typeof ports;
const fronts = Object.keys(ports) as Front[];

export interface Behind extends Readonly<Partial<Record<Front, number>>> {
  readonly name: string;
  readonly http: number;
}

/** How haproxy sees a node: UP, NOLB (ends what it has, gets nothing new), DRAIN, DOWN, with the connections that it has now and had in all. */
export interface Seen {
  readonly status: string;
  readonly nNow: number;
  readonly nTotal: number;
}

export class Haproxy {
  readonly #folder: string;
  readonly #ports: Readonly<Record<Front, number>>;
  #daemon: Daemon | undefined;

  /** @param checkEveryMs the documented configuration looks every two seconds; tests have less time */
  static async start(folder: string, nodes: readonly Behind[], checkEveryMs = 200): Promise<Haproxy> {
    mkdirSync(folder, { recursive: true });
    const haproxy = new Haproxy(folder, { mrd: await freePort(), http: await freePort(), dicom: await freePort() });
    const path = join(folder, 'haproxy.cfg');
    writeFileSync(path, haproxy.#configuration(nodes).replaceAll('inter 2s', `inter ${checkEveryMs}ms`));
    haproxy.#daemon = await Daemon.start('haproxy', ['-db', '-f', path]);
    // It begins with every node taken for up.
    await haproxy.#daemon.until(() => haproxy.seen().catch(() => undefined));
    return haproxy;
  }

  private constructor(folder: string, ownPorts: Readonly<Record<Front, number>>) {
    this.#folder = folder;
    this.#ports = ownPorts;
  }

  portOf(front: Front): number {
    return this.#ports[front];
  }

  /** The documented lines with our addresses: each bind its port, and what is said of the first node for every node. */
  #configuration(nodes: readonly Behind[]): string {
    const [first, ...others] = [...new Set(documented.match(/(?<=server )node\d+/g))];
    return documented.split('\n').flatMap((line) => {
      const bound = fronts.find((front) => line.includes(`bind :${ports[front]}`));
      if (bound !== undefined) return `    bind 127.0.0.1:${this.#ports[bound]}`;
      if (line.includes('{ src ')) return line.replace('10.1.0.0/16', '127.0.0.0/8');
      if (line.includes('stats socket')) return line.replace('/run/haproxy/admin.sock', this.#socket);
      if (others.some((name) => line.includes(`server ${name} `))) return [];
      if (!line.includes(`server ${first} `)) return line;
      const front = fronts.find((one) => line.includes(`:${ports[one]}`) && line.split(' ').some((word) => word.endsWith(`:${ports[one]}`)))!;
      return nodes.flatMap((node) => {
        const port = node[front];
        return port === undefined ? [] : line.replace(`server ${first}`, `server ${node.name}`).replace(/\d+\.\d+\.\d+\.\d+:\d+/, `127.0.0.1:${port}`).replace('port 8080', `port ${node.http}`);
      });
    }).join('\n');
  }

  get #socket(): string {
    return join(this.#folder, 'admin.sock');
  }

  /** A command of its management guide. */
  async command(line: string): Promise<string> {
    const socket = connect(this.#socket);
    socket.end(`${line}\n`);
    return text(socket);
  }

  /** Every node, at the front for scans. */
  async seen(): Promise<Readonly<Record<string, Seen>>> {
    const [head = '', ...rows] = (await this.command('show stat')).split('\n');
    const names = head.replace('# ', '').split(',');
    const cells = rows.map((row) => Object.fromEntries(row.split(',').map((value, i) => [names[i], value])));
    return Object.fromEntries(cells.filter(({ pxname, type }) => pxname === 'mrd' && type === '2').map(({ svname, status, scur, stot }) => [svname, { status: status!, nNow: Number(scur), nTotal: Number(stot) }]));
  }

  async stop(): Promise<void> {
    await this.#daemon?.end('SIGTERM');
  }
}
