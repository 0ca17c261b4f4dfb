/** Gives every visible control a number. @returns what they are */
export function markControls(): string[];
/** Number of the control that has the focus. */
export function focusedControl(): string | undefined;
/** Share of the middle of a canvas that is not black. */
export function brightShare(selector: string): number;
/** What axe-core, which has to be there, finds. */
export function axeViolations(): Promise<string[]>;
/** What a page of another origin gets. */
export function knockFromElsewhere(at: { readonly port: number; readonly token: string }): Promise<{ http: number | string; simple: string; socket: string }>;
/** As somebody would who got markup into the page. */
export function addScript(): void;
/** What a script that must not run would leave. */
export function wasRun(): number | undefined;
export function goTo(hash: string): void;
export function hash(): string;
/** Pixels by which the page is wider than the screen. */
export function tooWide(): number;
/** What the page counted on the live channel. */
export function liveCounts(): { nConnections: number; nResets: number; nChanges: number; nGaps: number; nPictures: number; nPicturesLost: number; sequence: number };
/** ms from images that were made to their pixels, the latest last. */
export function pictureLatencies(): number[];
/** Of pictures that the page keeps. */
export function pictureBytes(): number;
/** ms from the navigation until so many exams are in the list, and laid out. */
export function rowsShownAfterMs(nRows: number): Promise<number>;
