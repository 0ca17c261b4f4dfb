/** The word of a reader on a report: its revisions, and who confirmed which of them. */
export { READING_ERRORS, readingError } from './errors.js';
export { checkConfirmable, draftReading, scaleValues, stateOf, withConfirmation, withGrade, withSentence, wordsOf } from './reading.js';
export type { Confirmation, ReadingRecord, ReadingState, ReadingStep } from './reading.js';
export { confirmWordSchema, gradeWordSchema, readingSchema, sentenceWordSchema } from './schema.js';
export type { ConfirmWord, GradeWord, ReadingView, SentenceWord } from './schema.js';
