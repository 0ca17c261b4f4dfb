/**
 * Coded errors. A folder declares its codes in one table; an error carries the code, what was got,
 * what was expected and what to do, so that a technologist, a log and a test read the same thing.
 */

/** What the documentation says of one error code. */
export interface ErrorEntry {
  /** What holds when this error does not occur. */
  readonly expected: string;
  /** What the person who meets it can do. */
  readonly action: string;
}

export type ErrorTable = Readonly<Record<string, ErrorEntry>>;

/** An error with a documented code. `message` is complete by itself: code, got, expected, action. */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly got: string;
  readonly expected: string;
  readonly action: string;

  constructor(code: Code, got: string, entry: ErrorEntry, options?: { cause?: unknown }) {
    super(`${code}: got ${got}; expected ${entry.expected}; ${entry.action}`, options);
    this.name = 'CodedError';
    this.code = code;
    this.got = got;
    this.expected = entry.expected;
    this.action = entry.action;
  }
}

/**
 * The constructor of one table's errors: `const mrdError = errorsOf(MRD_ERRORS)`, then
 * `throw mrdError('MRD_ERR_UNKNOWN_MESSAGE_ID', 'id 999')`.
 */
export function errorsOf<Table extends ErrorTable>(table: Table) {
  return <Code extends keyof Table & string>(
    code: Code,
    got: string,
    options?: { cause?: unknown },
  ): CodedError<Code> => new CodedError(code, got, table[code] as ErrorEntry, options);
}

/** Every error of the format package. */
export const MRD_ERRORS = {
  MRD_ERR_UNKNOWN_MESSAGE_ID: {
    expected: 'a message id of the MRD protocol',
    action: 'check that the client speaks ISMRMRD and that no message was cut short',
  },
} as const satisfies ErrorTable;

export type MrdErrorCode = keyof typeof MRD_ERRORS;

export const mrdError = errorsOf(MRD_ERRORS);
