/** How long it takes from an image that is made to its pixels on the page: of the latest ones, for whoever measures. */
const most = 512;
const latest: number[] = [];

/** To be called in the frame in which a picture was drawn; the next one shows it. */
export function drawn(madeAt: number | undefined): void {
  if (madeAt === undefined) return;
  requestAnimationFrame(() => {
    latest.push(performance.timeOrigin + performance.now() - madeAt);
    if (latest.length > most) latest.shift();
  });
}

/** ms, the latest last. */
export const pictureLatenciesMs = (): readonly number[] => latest;
