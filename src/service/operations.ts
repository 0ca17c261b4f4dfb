/** Operations in the service: what they look at. */
import type { FastifyInstance } from 'fastify';
import { operationsRoutes } from '../http/index.js';
import type { LogRing } from '../logRing.js';
import { Operations } from '../operations/index.js';
import type { OperationsSources } from '../operations/index.js';

export function openOperations({ logRing, ...sources }: OperationsSources & { readonly logRing: LogRing | undefined }): (app: FastifyInstance) => void {
  return operationsRoutes(new Operations(sources), logRing);
}
