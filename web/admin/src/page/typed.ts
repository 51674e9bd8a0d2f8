import { useForm as useTheirs, type UseFormInput, type UseFormReturnType } from '@mantine/form';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import { tell } from '../api/write';
import { useSession } from '../session/session';
import { useWords } from '../words/everywhere';

// oxlint-disable-next-line typescript/no-explicit-any -- as the library has it
type Fields = Record<string, any>;

/** What was typed into a form, and what that had begun with. */
type Typed = { base: Fields; values: Fields };

/** What opens something is kept nowhere. */
const secret = /password|secret|token/i;

const written = (_name: string, value: unknown) => (value instanceof Blob ? undefined : value);
const text = (value: unknown) => JSON.stringify(value, written);
const same = (a: unknown, b: unknown) => text(a) === text(b);

/**
 * A form that loses nothing. What is typed is kept for this tab, and is there again after a
 * reload, a crash, or a dialog that closed too soon, until it is saved or discarded.
 *
 * `of` names the thing that the form is of: what others have changed of it meanwhile is then
 * kept beside what was typed. Without it a form is known by what it begins with.
 */
export function useForm<Values extends Fields>({ of, ...input }: UseFormInput<Values> & { initialValues: Values; of?: string }): UseFormReturnType<Values> {
  const form = useTheirs<Values>(input);
  const w = useWords();
  const { pathname } = useLocation();
  const { account } = useSession();
  const [key] = useState(() => ['stoa.typed', account.id, pathname, of === undefined ? text(input.initialValues) : [of, ...Object.keys(input.initialValues)].join(' ')].join(' '));
  const sent = useRef<string>(undefined);
  const dirty = form.isDirty();
  const { values } = form;
  const latest = useRef(values);
  const forget = () => sessionStorage.removeItem(key);

  useEffect(() => {
    const back = changed(key, form.getInitialValues());
    if (!back) return;
    form.setValues(back as Partial<Values>);
    tell(w.typed, {
      label: w.discard,
      run: () => {
        forget();
        form.reset();
      },
    });
    // oxlint-disable-next-line react/exhaustive-deps, react/exhaustive-effect-dependencies -- once, as a form begins
  }, []);
  useEffect(() => {
    latest.current = values;
    if (dirty) keep(key, { base: form.getInitialValues(), values });
    else sessionStorage.removeItem(key);
    // oxlint-disable-next-line react/exhaustive-deps -- a form is new each time, and what it begins with is not
  }, [key, dirty, values]);
  // What was sent and then went away was taken, whatever fields did on their way out: a dialog is
  // there for a moment after it was closed. What was typed after it was sent is more than that.
  useEffect(
    () => () => {
      if (sent.current === text(latest.current)) sessionStorage.removeItem(key);
    },
    [key],
  );

  return {
    ...form,
    reset: () => {
      forget();
      form.reset();
    },
    setErrors: (errors) => {
      sent.current = undefined;
      form.setErrors(errors);
    },
    onSubmit: (handle, refuse) =>
      form.onSubmit((given, event) => {
        sent.current = text(form.getValues());
        return handle(given, event);
      }, refuse),
  };
}

function keep(key: string, { base, values }: Typed) {
  const open = ([name]: [string, unknown]) => !secret.test(name);
  const typed: Typed = { base: Object.fromEntries(Object.entries(base).filter(open)), values: Object.fromEntries(Object.entries(values).filter(open)) };
  try {
    sessionStorage.setItem(key, JSON.stringify(typed, written));
  } catch {
    // There is more of it than a tab may keep.
    sessionStorage.removeItem(key);
  }
}

/** The fields in which something else was typed than there is now; undefined where none was. */
function changed(key: string, now: Fields): Fields | undefined {
  const kept = sessionStorage.getItem(key);
  if (kept === null) return undefined;
  const { base, values } = JSON.parse(kept) as Typed;
  const back = Object.entries(values).filter(([name, value]) => name in now && !same(value, base[name]) && !same(value, now[name]));
  return back.length > 0 ? Object.fromEntries(back) : undefined;
}
