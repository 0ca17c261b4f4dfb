/** What a stage reaches over HTTP: the images of its offer, and the callback for the outcome. Each with the offer's own token. */
import { CodedError } from 'ismrmrd';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { mostOutcomeBytes } from './contract.js';
import type { HandoffDesk, KeptOffer } from './desk.js';
import { handoffError } from './errors.js';
import type { StoredInstance } from '../spool/index.js';
import type { Material, SeriesForHandoff } from './transport.js';

const statusOf: Readonly<Record<string, number>> = {
  HANDOFF_ERR_TOKEN: 401,
  HANDOFF_ERR_UNKNOWN_OFFER: 404,
  HANDOFF_ERR_MATERIAL: 410,
  HANDOFF_ERR_NO_VOLUME: 404,
  HANDOFF_ERR_CONFLICT: 409,
  HANDOFF_ERR_OUTCOME: 422,
};

interface Names {
  readonly offerId: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** Answers a coded error with its status; lets every other one through. */
async function answerOfFailure(reply: FastifyReply, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const { code, message } = error;
    await reply.code(statusOf[code] ?? 500).type('application/json').send(JSON.stringify({ code, message }));
  }
}

/** A fastify plug-in; everything lies under /handoff. */
export function handoffRoutes(desk: HandoffDesk, material: Material) {
  const authorised = (request: FastifyRequest): KeptOffer => {
    const { offerId } = request.params as Pick<Names, 'offerId'>;
    return desk.authorise(offerId, tokenIn(request));
  };
  const seriesOf = (request: FastifyRequest): SeriesForHandoff => {
    const { seriesInstanceUid } = request.params as Names;
    const series = authorised(request).exam.series.find((item) => item.seriesInstanceUid === seriesInstanceUid);
    if (series === undefined) throw handoffError('HANDOFF_ERR_UNKNOWN_OFFER', 'a series that is not in the offer');
    return series;
  };
  const instanceOf = (request: FastifyRequest): StoredInstance => {
    const { sopInstanceUid } = request.params as Names;
    const instance = seriesOf(request).instances.find((item) => item.sopInstanceUid === sopInstanceUid);
    if (instance === undefined) throw handoffError('HANDOFF_ERR_UNKNOWN_OFFER', 'an instance that is not in the offer');
    return instance;
  };
  return (app: FastifyInstance): void => {
    app.register((scope, _options, done) => {
      // Before a body is read: nobody without the token makes the server take one.
      scope.addHook('onRequest', async (request, reply) => {
        await answerOfFailure(reply, () => authorised(request));
        return reply.sent ? reply : undefined;
      });
      // An outcome is read by the contract, whatever type the stage calls it.
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: mostOutcomeBytes }, (_request, body, parsed) => parsed(null, body));
      scope.post('/handoff/:offerId/outcome', { bodyLimit: mostOutcomeBytes }, (request, reply) =>
        answerOfFailure(reply, async () => {
          const { offerId } = request.params as Pick<Names, 'offerId'>;
          const { state, nDuplicates } = await desk.outcome(offerId, tokenIn(request), String(request.body ?? ''));
          await reply.send({ state, nDuplicates });
        }),
      );
      scope.get('/handoff/:offerId/series/:seriesInstanceUid/instances/:sopInstanceUid', (request, reply) =>
        answerOfFailure(reply, async () => {
          const bytes = await material.dicom(instanceOf(request));
          await reply.type('application/dicom').send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
        }),
      );
      scope.get('/handoff/:offerId/series/:seriesInstanceUid/nifti', (request, reply) =>
        answerOfFailure(reply, async () => {
          const bytes = await material.nifti(seriesOf(request));
          await reply.type('application/gzip').send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
        }),
      );
      done();
    });
  };
}

function tokenIn(request: FastifyRequest): string | undefined {
  return /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
}
