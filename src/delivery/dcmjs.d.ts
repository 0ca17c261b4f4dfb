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

  interface DcmjsLogger {
    setLevel(level: string): void;
  }

  const dcmjs: {
    readonly log: DcmjsLogger & { getLoggers(): Readonly<Record<string, DcmjsLogger>> };
    readonly data: {
      readonly DicomDict: typeof DicomDict;
      readonly DicomMessage: {
        readFile(file: ArrayBuffer, options?: { readonly ignoreErrors?: boolean }): DicomDict;
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
