/** The part of dcmjs that Conus uses; the package brings no types. */
declare module 'dcmjs' {
  /** One data element: value representation and values. */
  export interface DicomElement {
    vr: string;
    Value: unknown[];
  }
  export type DicomElements = Record<string, DicomElement>;
  /** Data set by attribute keywords, sequences as arrays of data sets. */
  export type NaturalDataset = Record<string, unknown>;

  export class DicomDict {
    constructor(meta: DicomElements);
    meta: DicomElements;
    dict: DicomElements;
    /** The file, preamble and meta information included. */
    write(): ArrayBuffer;
  }

  export class WriteBufferStream {
    /** @param defaultSize bytes by which it grows */
    constructor(defaultSize: number, isLittleEndian: boolean);
    /** What was written. */
    getBuffer(): ArrayBuffer;
  }

  interface DcmjsLogger {
    setLevel(level: string): void;
  }

  const dcmjs: {
    readonly log: DcmjsLogger & { getLoggers(): Readonly<Record<string, DcmjsLogger>> };
    readonly data: {
      readonly DicomDict: typeof DicomDict;
      readonly WriteBufferStream: typeof WriteBufferStream;
      readonly DicomMessage: {
        readFile(file: ArrayBuffer, options?: { readonly ignoreErrors?: boolean }): DicomDict;
        /** Elements in the order of their tags; the bytes that they took. */
        write(elements: DicomElements, stream: WriteBufferStream, transferSyntaxUid: string, options: { readonly allowInvalidVRLength: boolean }): number;
      };
      readonly DicomMetaDictionary: {
        /** By tags as `(0028,0010)`. */
        readonly dictionary: Readonly<Record<string, { readonly vr: string; readonly name: string } | undefined>>;
        naturalizeDataset(elements: DicomElements): NaturalDataset;
        denaturalizeDataset(dataset: NaturalDataset): DicomElements;
      };
    };
  };
  export default dcmjs;
}
