/** What is to be done with an exam once which of its series are complete: by its protocol. Where series go in any case is for the outbox. */
import { synthesisId } from '../../protocols/index.js';
import type { Analysis, Protocol, Synthesis } from '../../protocols/index.js';

export type JobRequest =
  | { readonly kind: 'deliver'; readonly destination: string }
  | { readonly kind: 'notify'; readonly message: string }
  | { readonly kind: 'synthesise'; readonly synthesis: Synthesis }
  | { readonly kind: 'analyse'; readonly analysis: Analysis };

export interface WantedJob {
  /** The same in every run of the program. */
  readonly id: string;
  readonly request: JobRequest;
  /** Ids of the protocol. */
  readonly needs: readonly string[];
  /** Ids of syntheses whose series go along where they come; it begins once that is settled. */
  readonly takesAlong?: readonly string[];
}

export function wantedJobs(protocol: Protocol | undefined): WantedJob[] {
  if (protocol === undefined) return [];
  const byProtocol = protocol.whenComplete.flatMap(({ series, actions }, rule) =>
    actions.flatMap((action, index): WantedJob[] => {
      const id = `${action.kind}/${protocol.name}/${rule}/${index}`;
      if (action.kind === 'notify') return [{ id, request: action, needs: series }];
      return action.destinations.map((destination) => ({ id: `${id}/${destination}`, request: { kind: 'deliver', destination }, needs: series }));
    }),
  );
  return [
    ...byProtocol,
    ...protocol.synthesise.map((synthesis): WantedJob => ({ id: synthesisJobId(synthesis), request: { kind: 'synthesise', synthesis }, needs: synthesis.fromSeries })),
    ...protocol.analyse.map((analysis): WantedJob => ({
      id: `analyse/${analysis.task}`, request: { kind: 'analyse', analysis }, needs: analysis.fromSeries,
      takesAlong: protocol.synthesise.filter(({ fromSeries }) => fromSeries.every((id) => analysis.fromSeries.includes(id))).map(synthesisId),
    })),
  ];
}

export const synthesisJobIdOf = (id: string): string => `synthesise/${id}`;
export const synthesisJobId = (synthesis: Synthesis): string => synthesisJobIdOf(synthesisId(synthesis));

export function whatOf(request: JobRequest): string {
  switch (request.kind) {
    case 'deliver':
      return request.destination;
    case 'notify':
      return request.message;
    case 'synthesise':
      return request.synthesis.contrast;
    case 'analyse':
      return request.analysis.task;
  }
}
