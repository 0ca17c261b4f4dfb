/** The console has its own types of what the service tells; this holds that they are right. What fails here fails in the type check. */
import { expect, it } from 'vitest';
import type { z } from 'zod';
import type * as console_ from '../../../console/api/types.js';
import type { ExamChange, ExamView, ListedPicture } from '../../../src/exams/index.js';
import type { settingsRequestSchema } from '../../../src/exams/index.js';
import type { ProtocolList } from '../../../src/http/index.js';
import type { ServerMessage } from '../../../src/live/index.js';

const exam = (told: ExamView): console_.ExamView => told;
const change = (told: ExamChange): console_.ExamChange => told;
const message = (told: ServerMessage): console_.ServerMessage => told;
const protocols = (told: ProtocolList): { readonly protocols: readonly console_.ProtocolSummary[] } => told;
/** The other way round: what the page asks for is taken. */
const settings = (asked: console_.SettingsRequest): z.input<typeof settingsRequestSchema> => asked;
const picture = (told: ListedPicture): console_.PictureEntry => told;

it('knows what the service tells of exams', () => {
  expect([exam, change, message, picture, protocols, settings].map((as) => typeof as)).toEqual(Array(6).fill('function'));
});
