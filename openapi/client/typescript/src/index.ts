/**
 * Calls a Stoa platform: a method for each path of its contract, with the contract's types,
 * generated from it.
 *
 *     const stoa = createStoa({ address: "https://stoa.example.com", key: "stoa_sk_…" });
 *     const product = await answer(stoa.POST("/v1/products", { body: { title: "Tea bowl" } }));
 *
 * It runs in browsers, in Node.js from 20 on, and wherever else there is fetch.
 */
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./contract.gen.js";

export type Schemas = components["schemas"];
export type Stoa = Client<paths>;
export type Problem = Schemas["Problem"];

export interface Options {
  /** Where the platform answers. */
  address: string;
  /** A secret, restricted or publishable key; none for what needs none. */
  key?: string;
  /** Headers of every request, such as Cart-Token or Accept-Language. */
  headers?: Record<string, string>;
  /** How often a request is sent at most; three times, when left out. */
  attempts?: number;
  /** Sends a request, in place of the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** Makes a client of a platform. */
export function createStoa({ address, key, headers, attempts = 3, fetch = globalThis.fetch }: Options): Stoa {
  const authorization = key ? { Authorization: `Bearer ${key}` } : {};
  return createClient<paths>({
    baseUrl: address.replace(/\/$/, ""),
    headers: { ...authorization, ...headers },
    fetch: (request) => send(request, attempts, fetch),
  });
}

/** Why a request was not answered as asked. */
export class StoaError extends Error {
  /** The stable code; decide by it. */
  readonly code: string;

  constructor(
    readonly problem: Problem,
    readonly response: Response,
  ) {
    super(`${problem.code}: ${problem.detail ?? problem.title} (${response.headers.get("Request-Id") ?? ""})`);
    this.name = "StoaError";
    this.code = problem.code;
  }
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What is answered; a StoaError where it is a problem. */
export async function answer<T>(asked: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (response.ok) return data as T;
  if (typeof error === "object" && error !== null && "code" in error) throw new StoaError(error as Problem, response);
  const title = response.statusText || "An answer that is no problem";
  throw new StoaError({ code: "unexpected_answer", title, status: response.status, type: "about:blank", request_id: "" }, response);
}

/**
 * Goes through all pages of a list.
 *
 *     for await (const product of all((cursor) => stoa.GET("/v1/products", { params: { query: { cursor } } }))) …
 */
export async function* all<T>(
  page: (cursor: string | undefined) => Promise<Answered<{ data: T[]; next_cursor: string | null }>>,
): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const list = await answer(page(cursor));
    yield* list.data;
    cursor = list.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/**
 * Sends a request until it is answered for good. A POST carries a key of idempotency, so that
 * one whose answer was lost is not done twice; a PATCH is a merge patch.
 */
async function send(request: Request, attempts: number, fetch: (request: Request) => Promise<Response>): Promise<Response> {
  if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
    request.headers.set("Idempotency-Key", crypto.randomUUID());
  }
  if (request.method === "PATCH") request.headers.set("Content-Type", "application/merge-patch+json");
  for (let attempt = 1; ; attempt++) {
    const last = attempt >= attempts;
    let wait = 250 * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
    try {
      const response = await fetch(last ? request : request.clone());
      if (last || !(await mayBeAskedAgain(response))) return response;
      const told = Number(response.headers.get("Retry-After") ?? NaN);
      if (!Number.isNaN(told)) wait = told * 1000;
    } catch (lost) {
      if (last || request.signal.aborted) throw lost;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function mayBeAskedAgain(response: Response): Promise<boolean> {
  if ([429, 502, 503, 504].includes(response.status)) return true;
  return response.status === 409 && (await response.clone().text()).includes('"idempotency_in_progress"');
}
