/** The protocol of an exam, and what may be changed of it. */
import type { ExamView } from '../api/index.js';
import { Panel } from '../parts/index.js';

export function ProtocolPanel({ exam: { protocol } }: { exam: ExamView }) {
  if (protocol === undefined) return null;
  return <Panel title="Protocol"><p>{protocol.title}</p></Panel>;
}
