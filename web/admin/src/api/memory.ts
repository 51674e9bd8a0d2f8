import { QueryClient } from '@tanstack/react-query';
import { problemOf } from './problem';

/** Whether some of what was asked for is awaited for the first time: what was refused once is waited for no more. */
export const awaited = (...asked: { isLoading: boolean; isFetched: boolean }[]) => asked.some(({ isLoading, isFetched }) => isLoading && !isFetched);

/** What was asked for and is kept for a moment. Only what may pass by itself is asked for again. */
export function memory(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retryDelay: (tries, error) => (problemOf(error).retry_after ?? 2 ** tries) * 1000,
        retry: (tries, error) => tries < 2 && [0, 429, 503, 504].includes(problemOf(error).status),
      },
    },
  });
}
