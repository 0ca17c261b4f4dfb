/** The token comes with the address that the service prints; it does not stay there. */
import { setToken } from '../api/index.js';
import { route, routeOf } from './route.js';

/** `#token=…`, which a browser sends to nobody. */
export function takeTokenFromAddress(): void {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given === undefined) return;
  setToken(given);
  history.replaceState(undefined, '', `${location.pathname}#/`);
  route.value = routeOf(location.hash);
}
