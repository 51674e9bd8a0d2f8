import { PasswordInput, Stack, Text } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import type { ReactNode } from 'react';
import type { Answer } from '../../api/client';
import { Refused, problemOf } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { useAccountWords } from './words';

type ProofProps<Values extends { password: string }, Out> = {
  text?: string;
  /** What the button says. */
  go: string;
  initial: Values;
  /** The fields beside the password. */
  fields?: (form: UseFormReturnType<Values>) => ReactNode;
  validate?: { [Name in keyof Values]?: (value: Values[Name]) => string | null };
  write: (given: Values) => Promise<Answer<Out>>;
  said?: string;
  done: (out: Out) => void;
  close: () => void;
};

/**
 * Something that is done only for whoever knows the password. Nothing of it is kept in the
 * browser, and what was wrong about the proof stands at its field.
 */
export function Proof<Values extends { password: string }, Out>({ text, go, initial, fields, validate, write, said, done, close }: ProofProps<Values, Out>) {
  const w = useAccountWords();
  const form = useForm<Values>({ initialValues: initial, validate: validate as never });
  const wrong: Record<string, [string, string]> = { invalid_credentials: ['password', w.wrongPassword], invalid_code: ['code', w.wrongCode] };
  const save = useWrite({
    form: form as never,
    said,
    write: (given: Values) =>
      write(given).catch((error) => {
        const problem = problemOf(error);
        const [field, detail] = wrong[problem.code] ?? [];
        throw field && detail ? new Refused({ ...problem, errors: [{ pointer: `/${field}`, code: problem.code, detail }] }) : error;
      }),
    done: ({ data }) => done(data),
  });
  return (
    <form onSubmit={form.onSubmit((given) => save.mutate(given))}>
      <Stack>
        {text && (
          <Text size="sm" c="dimmed">
            {text}
          </Text>
        )}
        <PasswordInput label={w.password.present} autoComplete="current-password" required data-autofocus {...form.getInputProps('password')} />
        {fields?.(form)}
        <Ending go={go} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
