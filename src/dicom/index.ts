/** DICOM: the receiver of images, their reader, and the senders. docs/dicom.md tells what each of them supports. */
export { DICOM_ERRORS, DICOM_WARNINGS } from './errors.js';
export type { DicomErrorCode } from './errors.js';
export type { ImageFacts } from './facts.js';
export type { InstanceIdentity } from './header.js';
export { describeDicom, parseDicom } from './image.js';
export type { DicomFrame, DicomImage, Scaling } from './image.js';
export type { Plane } from './planes.js';
export { DicomReceiver } from './receiver.js';
export type { ReceivedObject, ReceiverListener, ReceiverOptions, ReceiverTls } from './receiver.js';
export { FolderSender } from './folderSender.js';
export type { LoadedInstance, Sender, SendResult, StoredInstance } from './sender.js';
export { StoreScu } from './storeScu.js';
export type { StoreScuOptions } from './storeScu.js';
export { StowSender } from './stowSender.js';
export type { StowOptions } from './stowSender.js';
export { readVolume, stacksOf } from './stacks.js';
export type { PlacedFrame, Stack } from './stacks.js';
