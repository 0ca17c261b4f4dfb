/** The uint16 that opens each message on the wire. */
export const MessageId = {
  configFile: 1,
  configText: 2,
  header: 3,
  close: 4,
  text: 5,
  query: 6,
  response: 7,
  acquisition: 1008,
  dicom: 1018,
  dependency: 1019,
  image: 1022,
  waveform: 1026,
  ndarray: 1030,
} as const;
export type MessageName = keyof typeof MessageId;

const names = new Map(Object.entries(MessageId).map(([name, id]) => [id as number, name as MessageName]));

/** The name of a message id; undefined for an id that the protocol does not have. */
export function messageName(id: number): MessageName | undefined {
  return names.get(id);
}
