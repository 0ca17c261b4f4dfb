/** Requests to the service: with the token, and with errors as the service words them. */
import { signal } from '@preact/signals';

/** Kept for as long as the tab is open. */
const TOKEN_KEY = 'conus.token';

export const token = signal<string | undefined>(readToken());
/** The service wants a token, and has not got the right one. */
export const isLockedOut = signal(false);

export class ApiError extends Error {
  readonly code: string;
  readonly expected: string;
  readonly action: string;
  /** Of HTTP; 0 where no answer came. */
  readonly status: number;

  constructor(status: number, { code, message, expected, action }: { code: string; message: string; expected: string; action: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.expected = expected;
    this.action = action;
  }
}

export function setToken(value: string): void {
  sessionStorage.setItem(TOKEN_KEY, value);
  token.value = value;
  isLockedOut.value = false;
}

/** @throws ApiError */
export async function getJson<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return (await (await request(path, signal === undefined ? {} : { signal })).json()) as Answer;
}

/** @throws ApiError */
export async function getText(path: string): Promise<string> {
  return (await request(path, {})).text();
}

/** With the headers, which tell what the bytes are. @throws ApiError */
export async function getBytes(path: string): Promise<{ bytes: ArrayBuffer; headers: Headers }> {
  const response = await request(path, {});
  return { bytes: await response.arrayBuffer(), headers: response.headers };
}

/** @throws ApiError */
export async function sendJson<Answer>(method: 'POST' | 'PUT' | 'DELETE', path: string, body: unknown = {}): Promise<Answer> {
  const response = await request(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as Answer;
}

async function request(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token.value !== undefined) headers.set('authorization', `Bearer ${token.value}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, credentials: 'omit', cache: 'no-store' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, { code: 'no answer', message: 'The service does not answer.', expected: 'a running service', action: 'see whether conus serve runs, and whether the network is there' });
  }
  if (response.ok) return response;
  if (response.status === 401) isLockedOut.value = true;
  throw new ApiError(response.status, await errorOf(response));
}

async function errorOf(response: Response): Promise<{ code: string; message: string; expected: string; action: string }> {
  try {
    const { error } = (await response.json()) as { error: { code: string; message: string; expected: string; action: string } };
    return error;
  } catch {
    return { code: `HTTP ${response.status}`, message: response.statusText, expected: 'an answer of Conus', action: 'see the log of the service' };
  }
}

function readToken(): string | undefined {
  return typeof sessionStorage === 'undefined' ? undefined : (sessionStorage.getItem(TOKEN_KEY) ?? undefined);
}
