import type { UseFormReturnType } from '@mantine/form';
import { useEffect, useState } from 'react';

/**
 * Keeps a form that nobody has changed equal to what is there, whoever changed that. One that
 * somebody is changing stays as it is. Gives what the form began with, which is what a change
 * is compared with and meant for: of what has changed meanwhile, the API tells.
 */
export function useFresh<Values extends Record<string, unknown>>(form: UseFormReturnType<Values>, there: Values, version?: string) {
  const [base, setBase] = useState({ values: there, version });
  const text = JSON.stringify(there);
  useEffect(() => {
    if (form.isDirty()) return;
    form.setInitialValues(there);
    form.setValues(there);
    form.resetDirty(there);
    setBase({ values: there, version });
    // oxlint-disable-next-line react/exhaustive-deps, react/exhaustive-effect-dependencies -- a form and what is there are new each time, and what they say is not
  }, [text, version]);
  return base;
}
