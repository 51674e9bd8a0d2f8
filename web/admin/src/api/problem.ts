import type { Language } from '../words/language';
import type { components } from './contract.gen';

export type Problem = components['schemas']['Problem'];

/** A request that was refused, or that never came through. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title);
  }
}

const unreachable: Problem = { type: 'about:blank', title: 'Unreachable', status: 0, code: 'unreachable', request_id: '' };

let texts: Record<string, string> = {};

/** Has problems told in a language; until its texts are here, and where one is lacking, in the API's English. */
export async function tellProblemsIn(language: Language) {
  texts = language === 'de' ? (await import('../words/problems.de')).problems : {};
}

/** What a code means, with the first number of the API's own text where there is a place for one. */
function told(code: string, own: string): string {
  const text = texts[code];
  if (!text?.includes('{n}')) return text ?? own;
  const number = /-?\d+([.,]\d+)?/.exec(own)?.[0];
  return number === undefined ? own : text.replace('{n}', number);
}

function localised(problem: Problem): Problem {
  const { code, detail, title, errors } = problem;
  return { ...problem, detail: told(code, detail ?? title), ...(errors && { errors: errors.map((fault) => ({ ...fault, detail: told(fault.code, fault.detail) })) }) };
}

/** The problem of an answer; something in between, such as a proxy, may have answered otherwise. */
export function problemOf(body: unknown, response?: Response): Problem {
  if (body instanceof Refused) return body.problem;
  if (typeof body === 'object' && body !== null && 'code' in body && 'status' in body) return localised(body as Problem);
  if (!response) return unreachable;
  return { ...unreachable, title: response.statusText, status: response.status, code: 'unknown', request_id: response.headers.get('Request-Id') ?? '' };
}

/** The path of a fault in a form's values: /lines/0/quantity is lines.0.quantity. */
export function fieldOf(pointer: string): string {
  return pointer.replace(/^\//, '').replaceAll('/', '.');
}
