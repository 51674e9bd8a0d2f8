import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Answer } from './client';
import { problemOf } from './problem';

/**
 * What a write would come to: the program itself tries it and takes it back, a moment after
 * what is given has changed. Nothing is tried while nothing is given.
 */
export function useTrial<In, Out>(name: string, given: In | undefined, attempt: (given: In) => Promise<Answer<Out>>) {
  const text = given === undefined ? '' : JSON.stringify(given);
  const [settled] = useDebouncedValue(text, 250);
  const trial = useQuery({
    queryKey: ['trial', name, settled],
    queryFn: () => attempt(JSON.parse(settled) as In),
    enabled: text !== '' && settled !== '',
    retry: false,
    placeholderData: keepPreviousData,
  });
  return {
    would: text !== '' && !trial.isError ? trial.data?.data : undefined,
    refused: text !== '' && trial.isError ? problemOf(trial.error) : undefined,
    pending: settled !== text || trial.isFetching,
  };
}
