import type { components } from './contract.gen';

export type Problem = components['schemas']['Problem'];

/** A request that was refused, or that never came through. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

const unreachable: Problem = { type: 'about:blank', title: 'Unreachable', status: 0, code: 'unreachable', request_id: '' };

/** The problem of an answer; something in between, such as a proxy, may have answered otherwise. */
export function problemOf(body: unknown, response?: Response): Problem {
  if (body instanceof Refused) return body.problem;
  if (typeof body === 'object' && body !== null && 'code' in body && 'status' in body) return body as Problem;
  if (!response) return unreachable;
  return { ...unreachable, title: response.statusText, status: response.status, code: 'unknown', request_id: response.headers.get('Request-Id') ?? '' };
}

/** The path of a fault in a form's values: /lines/0/quantity is lines.0.quantity. */
export function fieldOf(pointer: string): string {
  return pointer.replace(/^\//, '').replaceAll('/', '.');
}
