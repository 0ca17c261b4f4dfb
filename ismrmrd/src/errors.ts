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
  MRD_ERR_XML_TOO_LARGE: {
    expected: 'an XML document of at most 4194304 characters',
    action: 'move bulk data out of the header or the meta attributes',
  },
  MRD_ERR_XML_DOCTYPE: {
    expected: 'XML without a document type declaration',
    action: 'remove the DOCTYPE; MRD needs none, and entities it declares are never expanded',
  },
  MRD_ERR_XML_CHARACTER: {
    expected: 'text whose characters XML can hold',
    action: 'remove control characters and unpaired surrogates, or encode the bytes as base64',
  },
  MRD_ERR_HEADER_NOT_XML: {
    expected: 'an ISMRMRD header as well-formed XML',
    action: 'check that the sender puts the XML header, and nothing else, into the header message',
  },
  MRD_ERR_HEADER_ROOT: {
    expected: 'the root element ismrmrdHeader',
    action: 'send the ISMRMRD header, not another XML document',
  },
  MRD_ERR_HEADER_MISSING: {
    expected: 'every element that the ISMRMRD schema requires',
    action: 'add the element to the header',
  },
  MRD_ERR_HEADER_REPEATED: {
    expected: 'at most one of an element that the ISMRMRD schema does not repeat',
    action: 'remove all but one from the header',
  },
  MRD_ERR_HEADER_VALUE: {
    expected: 'a value of the type that the ISMRMRD schema gives the element',
    action: 'correct the value in the header',
  },
  MRD_ERR_META_NOT_XML: {
    expected: 'meta attributes as well-formed XML, or nothing',
    action: 'check the attribute length that the sender declares and what it writes there',
  },
  MRD_ERR_META_ROOT: {
    expected: 'the root element ismrmrdMeta',
    action: 'write meta attributes as an ismrmrdMeta document',
  },
  MRD_ERR_META_ENTRY: {
    expected: 'meta elements with exactly one name each',
    action: 'write each attribute as <meta><name>…</name><value>…</value></meta>',
  },
} as const satisfies ErrorTable;

export type MrdErrorCode = keyof typeof MRD_ERRORS;

export const mrdError = errorsOf(MRD_ERRORS);
