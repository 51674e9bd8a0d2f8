import { useSearchParams } from 'react-router';

/** The filters of a list, which stand in the address, so that it can be kept, sent and gone back to. */
export function useFilters<Name extends string>(...names: Name[]) {
  const [search, setSearch] = useSearchParams();
  const values = Object.fromEntries(names.map((name) => [name, search.get(name) ?? ''])) as Record<Name, string>;
  return {
    values,
    any: names.some((name) => values[name] !== ''),
    set: (changes: Partial<Record<Name, string>>) =>
      setSearch(
        (now) => {
          for (const [name, value] of Object.entries<string | undefined>(changes)) {
            if (value) now.set(name, value);
            else now.delete(name);
          }
          return now;
        },
        { replace: true },
      ),
    clear: () => setSearch({}, { replace: true }),
  };
}

/** A query's filters without those that are not set. */
export function given<T extends Record<string, unknown>>(filters: T): Partial<T> {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== '' && value !== undefined)) as Partial<T>;
}
