/**
 * The HTTP side of the service: console, exams, operations, health, metrics. It is a fastify application with three rules in
 * front of every route: the Host header names this machine (a page of another origin whose name leads here could
 * read everything else), the doors admit the request, and answers carry headers that keep browsers from doing
 * anything with them but showing them. Errors are coded and hold nothing of a patient; what is logged is the route,
 * never the address that was asked for.
 */
import { isIP } from 'node:net';
import Fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from 'ismrmrd';
import { isLoopback } from '../doors/index.js';
import type { Doors } from '../doors/index.js';
import type { Logger } from '../log.js';
import type { Metrics } from '../metrics.js';
import { VERSION } from '../version.js';
import { httpError } from './errors.js';
import { pageRoutes } from './page.js';
import type { PageFile } from './page.js';

/** Whether a part of the service can do its work, and why not. */
export interface PartHealth {
  readonly part: string;
  readonly trouble?: string;
}

/** Where a node is between its start and its end; only one that is ready wants work. */
export type Phase = 'starting' | 'ready' | 'draining';

export interface HttpAppOptions {
  readonly doors: Pick<Doors, 'authorise' | 'hostNames' | 'tls'>;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly health: () => readonly PartHealth[];
  /** Whether what is in trouble speaks against new work; all of it does by default. */
  readonly isFine?: () => boolean;
  /** Ready where it is absent. */
  readonly phase?: () => Phase;
  /** The address that is listened on; the Host header may name it. */
  readonly host?: string;
  /** Longest body of routes that do not name their own. */
  readonly bodyLimitBytes?: number;
  /** The console; absent where it is not served. */
  readonly page?: readonly PageFile[];
  /** Routes of the parts of the service. */
  readonly plugins?: readonly ((app: FastifyInstance) => void)[];
}

/** Open to everybody, as the console is: they tell nothing but that the service is there. */
const openPaths = ['/health', '/ready'];
/** Asked by balancers and orchestrators, which call a node by its address or by no name at all. No page of another origin has one for its name. */
const probedPaths: ReadonlySet<string> = new Set([...openPaths, '/metrics']);
/** Where every request shows a token of its own. */
const ownDoor = '/handoff/';

const securityHeaders = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

export function httpApp(options: HttpAppOptions): FastifyInstance {
  const { doors, metrics, log, page = [] } = options;
  const isOpen = new Set([...openPaths, ...page.map(({ path }) => path)]);
  const hostNames = new Set([...doors.hostNames, ...(options.host === undefined ? [] : [options.host])]);
  const app = Fastify({
    logger: false,
    https: doors.tls ?? null,
    bodyLimit: options.bodyLimitBytes ?? 1024,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: true,
    // What cannot even be routed is refused like everything else.
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply.headers(securityHeaders), log),
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    if (request.is404 && request.method !== 'GET' && request.method !== 'HEAD') {
      reply.header('allow', 'GET, HEAD');
      return refuse(reply, 405, httpError('CONUS_ERR_HTTP_METHOD', request.method));
    }
    const route = request.routeOptions.url ?? '';
    if (route.startsWith(ownDoor)) return;
    const isProbe = probedPaths.has(route) && isAddress(request.headers.host);
    if (!isProbe && !isOwnHost(request.headers.host, hostNames)) return refuse(reply, 403, httpError('CONUS_ERR_HTTP_HOST', 'another name'));
    if (isOpen.has(route)) return;
    const admission = doors.authorise({ headers: request.headers, remoteAddress: request.ip, door: 'http' });
    if (!admission.isAdmitted) return refuse(reply, admission.status, admission.error);
  });
  app.addHook('onResponse', async (request, reply) => {
    log.debug({ route: request.routeOptions.url ?? 'none', status: reply.statusCode }, 'answered');
  });
  app.setNotFoundHandler(async (_request, reply) => refuse(reply, 404, httpError('CONUS_ERR_HTTP_NOT_FOUND', 'another path')));
  app.setErrorHandler(async (error, request, reply) => answerError(error, request, reply, log));

  app.get('/health', async () => ({ status: 'ok', version: VERSION }));
  app.get('/ready', async (_request, reply) => {
    const parts = options.health();
    const phase = options.phase?.() ?? 'ready';
    const isFine = options.isFine?.() ?? parts.every(({ trouble }) => trouble === undefined);
    const status = phase === 'ready' && !isFine ? 'not ready' : phase;
    return reply.code(status === 'ready' ? 200 : 503).send({ status, parts });
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.registry.metrics();
    return reply.header('content-type', metrics.registry.contentType).send(text);
  });
  pageRoutes(page)(app);
  for (const plugin of options.plugins ?? []) plugin(app);
  return app;
}

/** Whether the Host header names loopback or one of the given names; its port does not matter. */
export function isOwnHost(host: string | undefined, hostNames: ReadonlySet<string>): boolean {
  const name = nameIn(host);
  return isLoopback(name) || hostNames.has(name);
}

/** Whether the Host header is an address, or missing. */
function isAddress(host: string | undefined): boolean {
  const name = nameIn(host);
  return name === '' || isIP(name) !== 0;
}

const nameIn = (host = '') => host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1').toLowerCase();

export function refuse(reply: FastifyReply, status: number, { code, message, expected, action }: CodedError): FastifyReply {
  return reply.code(status).send({ error: { code, message, expected, action } });
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Logger): FastifyReply {
  if (error instanceof CodedError) return refuse(reply, statusOf(error), error);
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return refuse(reply, status, httpError('CONUS_ERR_HTTP_REQUEST', (error as { code?: string }).code ?? 'something else'));
  log.error({ route: request.routeOptions.url ?? 'none', stack: error instanceof Error ? error.stack : undefined }, 'request failed');
  return refuse(reply, 500, httpError('CONUS_ERR_HTTP_INTERNAL', 'a fault'));
}

const statuses: Readonly<Record<string, number>> = {
  CONUS_ERR_HTTP_NOT_FOUND: 404,
  CONUS_ERR_EXAM_UNKNOWN: 404,
  HANDOFF_ERR_NO_RESULT: 404,
  CONUS_ERR_SERIES_UNKNOWN: 404,
  CONUS_ERR_RECORD_NONE: 404,
  CONUS_ERR_SWEEP_UNKNOWN: 404,
  CONUS_ERR_SWEEP_FILE: 422,
  CONUS_ERR_IMAGE_GONE: 410,
  CONUS_ERR_IMAGE_NO_VOLUME: 409,
  CONUS_ERR_HTTP_REQUEST: 400,
  OUTBOX_ERR_UNKNOWN_JOB: 404,
  JOB_ERR_UNKNOWN: 404,
  CONUS_ERR_JOB_STATE: 409,
  CONUS_ERR_DESTINATION_UNKNOWN: 404,
  CONUS_ERR_MODEL_CARD: 404,
  CONUS_ERR_READING_REVISION: 409,
  CONUS_ERR_READING_CONFIRMED: 409,
  CONUS_ERR_READING_IMAGES: 410,
  ANALYSIS_ERR_CHANGE_FINDING: 422,
  ANALYSIS_ERR_CHANGE_VALUE: 422,
  // The result of another stage, which no reader can change here.
  ANALYSIS_ERR_REPORT: 404,
  CONUS_ERR_SETTING_PROTOCOL: 422,
  CONUS_ERR_SETTING_STRENGTH: 422,
  CONUS_ERR_SETTING_SYNTHESIS: 422,
  CONUS_ERR_SETTING_BEGUN: 409,
  CONUS_ERR_SETTING_MANY: 409,
};

function statusOf({ code }: CodedError): number {
  return statuses[code] ?? 500;
}
