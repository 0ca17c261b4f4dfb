/** Why the word of a reader is not taken. */
import { errorsOf } from 'ismrmrd';
import type { ErrorTable } from 'ismrmrd';

export const READING_ERRORS = {
  CONUS_ERR_READING_REVISION: {
    expected: 'the latest revision of the reading',
    action: 'look at what changed meanwhile (GET /api/exams/ID/reading), and change or confirm that',
  },
  CONUS_ERR_READING_CONFIRMED: {
    expected: 'a revision that nobody has confirmed yet',
    action: 'nothing: its report is on its way; what is changed afterwards can be confirmed again',
  },
  CONUS_ERR_READING_IMAGES: {
    expected: 'the images that the report rests on, in the data folder',
    action: 'send the series again and let it be analysed anew; a report without its images is not written',
  },
  CONUS_ERR_READING_TIMEOUT: {
    expected: 'the documents of a confirmed report in time',
    action: 'confirm it again; look what else the machine is doing',
  },
  CONUS_ERR_READING_THREAD: {
    expected: 'a thread that ends with the documents of a confirmed report',
    action: 'look at the log for where it failed, and tell the developers',
  },
} as const satisfies ErrorTable;

export const readingError = errorsOf(READING_ERRORS);
