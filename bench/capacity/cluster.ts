/**
 * Nodes that share work, as Conus shares it:
 *
 *   cores    of a node are shared evenly by what runs on it, no task taking more than it has threads for (processor
 *            sharing; what one cannot take goes to the others)
 *   models   run one at a time on a node, in the order in which they are asked for
 *   sessions stay on the node that has the fewest (leastconn); where all are full, they wait in the order of their coming
 *   jobs     of a kind: the lower priority first, then who came first; taken by any node that has room for the kind, does
 *            not run its model already, and where its lane is not full. Of several nodes chance decides
 *   a node that dies takes its sessions with it at once; its jobs are given to others when it is missed
 */
import type { Random } from '../../simulator/index.js';
import type { Calendar } from './calendar.js';

/** Work of so many core seconds on at most so many cores; or a wait for somebody else. */
export type Stage =
  | { readonly cpuS: number; readonly mostCores: number; readonly usesModels?: boolean }
  | { readonly waitS: number };

export interface NodeOptions {
  readonly cores: number;
  readonly mostSessions: number;
  /** Jobs of a kind at once; none where it is absent. */
  readonly concurrency: Readonly<Record<string, number>>;
}

export interface NewJob {
  readonly kind: string;
  readonly priority: number;
  readonly model?: string;
  readonly lane?: string;
  readonly stages: readonly Stage[];
  readonly done: () => void;
}

interface Job extends NewJob {
  readonly addedAt: number;
  readonly order: number;
}

interface Task {
  leftS: number;
  readonly mostCores: number;
  rate: number;
  readonly done: () => void;
}

/** Work that goes through its stages on one node, unless the node dies. */
export interface Run {
  isCut: boolean;
}

export class Node {
  readonly options: NodeOptions;
  readonly name: string;
  readonly #calendar: Calendar;
  readonly #tasks = new Set<Task>();
  #updatedAt = 0;
  #version = 0;
  /** Core seconds that were worked. */
  #workedS = 0;
  /** Cores that scans under way take, before everything else. */
  #scanningCores = 0;
  #isModelRunning = false;
  readonly #modelQueue: (() => void)[] = [];
  isAlive = true;
  nSessions = 0;
  readonly running = new Map<Job, Run>();
  readonly sessions = new Set<{ readonly run: Run; readonly lost: () => void }>();

  constructor(name: string, options: NodeOptions, calendar: Calendar) {
    this.name = name;
    this.options = options;
    this.#calendar = calendar;
  }

  get workedS(): number {
    this.#advance();
    return this.#workedS;
  }

  scanning(cores: number): void {
    this.#advance();
    this.#scanningCores = Math.max(0, this.#scanningCores + cores);
    this.#reschedule();
  }

  /** One stage after the other. */
  through(stages: readonly Stage[], run: Run, done: () => void): void {
    const [stage, ...others] = stages;
    if (run.isCut) return;
    if (stage === undefined) return done();
    const next = () => this.through(others, run, done);
    if ('waitS' in stage) {
      this.#calendar.enter(this.#calendar.now + stage.waitS, next);
    } else if (stage.usesModels === true) {
      this.#withModels(run, (release) => this.#work(stage.cpuS, stage.mostCores, () => {
        release();
        next();
      }));
    } else {
      this.#work(stage.cpuS, stage.mostCores, next);
    }
  }

  /** Everything that it did is gone. */
  die(): void {
    this.#advance();
    this.isAlive = false;
    this.#tasks.clear();
    this.#version++;
    this.#scanningCores = 0;
    this.#modelQueue.length = 0;
    this.#isModelRunning = false;
    for (const run of this.running.values()) run.isCut = true;
    const lost = [...this.sessions];
    this.sessions.clear();
    this.nSessions = 0;
    for (const session of lost) session.run.isCut = true;
    for (const session of lost) session.lost();
  }

  #withModels(run: Run, use: (release: () => void) => void): void {
    const begin = () => {
      if (run.isCut) return this.#nextModel();
      this.#isModelRunning = true;
      use(() => this.#nextModel());
    };
    if (this.#isModelRunning) this.#modelQueue.push(begin);
    else begin();
  }

  #nextModel(): void {
    this.#isModelRunning = false;
    this.#modelQueue.shift()?.();
  }

  #work(cpuS: number, mostCores: number, done: () => void): void {
    this.#advance();
    this.#tasks.add({ leftS: cpuS, mostCores, rate: 0, done });
    this.#reschedule();
  }

  #advance(): void {
    const passedS = this.#calendar.now - this.#updatedAt;
    this.#updatedAt = this.#calendar.now;
    if (passedS <= 0) return;
    this.#workedS += passedS * Math.min(this.#scanningCores, this.options.cores);
    for (const task of this.#tasks) {
      task.leftS -= passedS * task.rate;
      this.#workedS += passedS * task.rate;
    }
  }

  /** Cores for each task: those that can take least first, so that what they leave goes to the others. */
  #reschedule(): void {
    this.#version++;
    if (this.#tasks.size === 0) return;
    let cores = Math.max(this.options.cores - this.#scanningCores, 0.01);
    let nOthers = this.#tasks.size;
    let soonestS = Infinity;
    for (const task of [...this.#tasks].sort((a, b) => a.mostCores - b.mostCores)) {
      task.rate = Math.min(task.mostCores, cores / nOthers--);
      cores -= task.rate;
      soonestS = Math.min(soonestS, Math.max(0, task.leftS) / task.rate);
    }
    const version = this.#version;
    this.#calendar.enter(this.#calendar.now + soonestS, () => {
      if (version === this.#version) this.#finish();
    });
  }

  #finish(): void {
    this.#advance();
    const ended = [...this.#tasks].filter(({ leftS }) => leftS <= 1e-9);
    for (const task of ended) this.#tasks.delete(task);
    this.#reschedule();
    for (const { done } of ended) done();
  }
}

export interface ClusterOptions {
  readonly nodes: readonly NodeOptions[];
  /** Jobs of a lane at once, over all nodes; without limit where it is absent. */
  readonly lanes?: Readonly<Record<string, number>>;
  /** How long after its death a node is missed. */
  readonly missedAfterS?: number;
}

export class Cluster {
  readonly nodes: readonly Node[];
  readonly #calendar: Calendar;
  readonly #random: Random;
  readonly #options: ClusterOptions;
  /** By kind; jobs of one kind, model and lane stand in one row, so that only the first of each is looked at. */
  readonly #waiting = new Map<string, Map<string, Job[]>>();
  readonly #sessionsWaiting: ((node: Node) => void)[] = [];
  readonly #ofLane = new Map<string, number>();
  #order = 0;
  /** Told for each job when it begins. */
  onBegin: ((kind: string, waitedS: number) => void) | undefined;

  constructor(options: ClusterOptions, calendar: Calendar, random: Random) {
    this.#options = options;
    this.#calendar = calendar;
    this.#random = random;
    this.nodes = options.nodes.map((node, index) => new Node(`node${index + 1}`, node, calendar));
  }

  nWaiting(kind: string): number {
    let n = 0;
    for (const row of this.#waiting.get(kind)?.values() ?? []) n += row.length;
    return n;
  }

  get nSessionsWaiting(): number {
    return this.#sessionsWaiting.length;
  }

  add(job: NewJob): void {
    this.#queue({ ...job, addedAt: this.#calendar.now, order: this.#order++ });
  }

  /**
   * A session on the node that has the fewest, as soon as one has room.
   * @param begin is given the node, what the session does there, and how it ends
   * @param lost where the node dies before that
   */
  openSession(begin: (node: Node, run: Run, close: () => void) => void, lost: () => void): void {
    const at = (node: Node) => {
      const run: Run = { isCut: false };
      const session = { run, lost };
      node.nSessions++;
      node.sessions.add(session);
      begin(node, run, () => {
        if (!node.sessions.delete(session)) return;
        node.nSessions--;
        this.#admit();
      });
    };
    this.#sessionsWaiting.push(at);
    this.#admit();
  }

  kill(node: Node): void {
    const cut = [...node.running.keys()];
    node.running.clear();
    node.die();
    this.#calendar.enter(this.#calendar.now + (this.#options.missedAfterS ?? 0), () => {
      for (const job of cut) {
        this.#leaveLane(job);
        this.#queue(job);
      }
    });
  }

  revive(node: Node): void {
    node.isAlive = true;
    this.#admit();
    this.#dispatch();
  }

  #admit(): void {
    while (this.#sessionsWaiting.length > 0) {
      const free = this.nodes.filter(({ isAlive, nSessions, options }) => isAlive && nSessions < options.mostSessions);
      if (free.length === 0) return;
      const fewest = Math.min(...free.map(({ nSessions }) => nSessions));
      this.#sessionsWaiting.shift()!(this.#oneOf(free.filter(({ nSessions }) => nSessions === fewest)));
    }
  }

  #queue(job: Job): void {
    const rows = this.#waiting.get(job.kind) ?? new Map<string, Job[]>();
    this.#waiting.set(job.kind, rows);
    const name = `${job.model} ${job.lane}`;
    const row = rows.get(name) ?? [];
    rows.set(name, row);
    row.splice(row.findLastIndex((other) => isFirst(other, job)) + 1, 0, job);
    this.#dispatch();
  }

  #dispatch(): void {
    for (const [kind, rows] of this.#waiting) {
      for (let begun = true; begun;) {
        begun = false;
        const able = this.nodes.filter((node) => node.isAlive && hasRoom(node, kind));
        if (able.length === 0) break;
        const firsts = [...rows.values()].filter(({ length }) => length > 0).sort(([a], [b]) => (isFirst(a!, b!) ? -1 : 1));
        for (const row of firsts) {
          const job = row[0]!;
          const takers = this.#isLaneFull(job) ? [] : able.filter((node) => job.model === undefined || ![...node.running.keys()].some(({ model }) => model === job.model));
          if (takers.length === 0) continue;
          row.shift();
          this.#begin(job, this.#oneOf(takers));
          begun = true;
          break;
        }
      }
    }
  }

  #begin(job: Job, node: Node): void {
    const run: Run = { isCut: false };
    node.running.set(job, run);
    if (job.lane !== undefined) this.#ofLane.set(job.lane, (this.#ofLane.get(job.lane) ?? 0) + 1);
    this.onBegin?.(job.kind, this.#calendar.now - job.addedAt);
    node.through(job.stages, run, () => {
      node.running.delete(job);
      this.#leaveLane(job);
      job.done();
      this.#dispatch();
    });
  }

  #isLaneFull({ lane }: Job): boolean {
    return lane !== undefined && (this.#ofLane.get(lane) ?? 0) >= (this.#options.lanes?.[lane] ?? Infinity);
  }

  #leaveLane({ lane }: Job): void {
    if (lane !== undefined) this.#ofLane.set(lane, this.#ofLane.get(lane)! - 1);
  }

  #oneOf<Item>(items: readonly Item[]): Item {
    return items.length === 1 ? items[0]! : items[Math.floor(items.length * this.#random.uniform())]!;
  }
}

const isFirst = (a: Job, b: Job) => a.priority < b.priority || (a.priority === b.priority && a.order < b.order);

function hasRoom({ running, options }: Node, kind: string): boolean {
  const most = options.concurrency[kind] ?? 0;
  let n = 0;
  for (const job of running.keys()) if (job.kind === kind) n++;
  return n < most;
}
