import createFetchClient, { type Middleware } from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';
import type { components, paths } from './contract.gen';
import { Refused, problemOf } from './problem';

export type Schemas = components['schemas'];

/** A new key, by which a write that is repeated is done once. */
export const idempotencyKey = () => crypto.randomUUID();

/** Called when an answer says that nobody is signed in any more. */
let onSignedOut = () => {};
export function whenSignedOut(tell: () => void) {
  onSignedOut = tell;
}

/** What is refused like somebody unknown, and is but a wrong password or code. */
const unproven = new Set(['invalid_credentials', 'totp_required', 'invalid_code']);

const signedOut: Middleware = {
  async onResponse({ response }) {
    if (response.status === 401 && !unproven.has(problemOf(await response.clone().json().catch(() => undefined), response).code)) onSignedOut();
    return undefined;
  },
};

const repeatable = new Set(['PUT', 'PATCH', 'DELETE']);

/** The longest that somebody waits without being told. */
const patience = 10;

/**
 * Writes once more, a moment later, where nothing was done for the moment: there was too much
 * to do, or nothing answered and doing it twice is doing it once. What is only read is asked
 * for again by whoever remembers it.
 */
async function patiently(request: Request): Promise<Response> {
  if (request.method === 'GET') return fetch(request);
  const again = request.clone();
  const response = await fetch(request);
  const seconds = Number(response.headers.get('Retry-After') ?? 1) || 1;
  const may = response.status === 429 || (response.status === 503 && (repeatable.has(request.method) || request.headers.has('Idempotency-Key')));
  if (!may || seconds > patience) return response;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  return fetch(again);
}

/** The contract's operations, asked by the browser's session: for one side of a store, or for none. */
export function connect(store?: { id: string; mode: Schemas['Mode'] }) {
  const api = createFetchClient<paths>({ baseUrl: '/', fetch: patiently, headers: store && { 'Stoa-Store': store.id, 'Stoa-Mode': store.mode } });
  api.use(signedOut);
  return { api, query: createQueryClient(api) };
}

export type Connection = ReturnType<typeof connect>;

/** What openapi-fetch gives for a request. */
type Pending<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** An answer, with what its headers say of it, and the requests by which it came. */
export type Answer<T> = { data: T; requests: string[]; version: string | undefined };

/** Waits for an answer, and throws what refused it. */
export async function answered<T>(pending: Pending<T>): Promise<Answer<T>> {
  const { data, error, response } = await pending;
  if (!response.ok) throw new Refused(problemOf(error, response));
  return { data: data as T, requests: [response.headers.get('Request-Id') ?? ''], version: response.headers.get('ETag') ?? undefined };
}
