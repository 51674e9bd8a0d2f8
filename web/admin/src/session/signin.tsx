import { Alert, Button, Divider, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { answered, type Schemas } from '../api/client';
import { problemOf } from '../api/problem';
import { useWords } from '../words/everywhere';
import { letBe, signInByPasskey, takesPasskeys } from './passkey';
import { platform } from './session';
import { useSessionWords } from './words';

/** The form by which one signs in, with a code where the account asks for one. */
export function SignIn({ email, done }: { email?: string; done: (session: Schemas['Session']) => void }) {
  const w = useSessionWords();
  const everywhere = useWords();
  const [coded, setCoded] = useState(false);
  const [refused, setRefused] = useState('');
  const form = useForm({ mode: 'uncontrolled', initialValues: { email: email ?? '', password: '', code: '' } });
  const signIn = useMutation({
    mutationFn: (given: typeof form.values) =>
      answered(
        platform.api.POST('/v1/session', {
          body: { email: given.email.trim(), password: given.password, ...(coded && { code: given.code.replaceAll(' ', '') }) },
        }),
      ),
    onMutate: () => setRefused(''),
    onSuccess: ({ data }) => done(data),
    onError: (error) => {
      const { code, detail, status } = problemOf(error);
      if (code === 'totp_required') setCoded(true);
      else if (code === 'invalid_code') form.setFieldError('code', w.wrongCode);
      else if (status === 401 || status === 400) setRefused(w.refused);
      else setRefused(detail ?? everywhere.trouble.offline);
    },
  });
  const byPasskey = useMutation({
    mutationFn: signInByPasskey,
    onMutate: () => setRefused(''),
    onSuccess: ({ data }) => done(data),
    onError: (error) => {
      const { code, detail } = problemOf(error);
      if (!letBe(error)) setRefused(code === 'invalid_credentials' ? w.unknownPasskey : (detail ?? everywhere.trouble.offline));
    },
  });
  return (
    <form onSubmit={form.onSubmit((given) => signIn.mutate(given))}>
      <Stack>
        {refused && (
          <Alert color="red" role="alert">
            {refused}
          </Alert>
        )}
        <TextInput label={w.email} type="email" autoComplete="username" required readOnly={email !== undefined} {...form.getInputProps('email')} key={form.key('email')} />
        <PasswordInput label={w.password} autoComplete="current-password" required autoFocus={email !== undefined} {...form.getInputProps('password')} key={form.key('password')} />
        {coded && (
          <TextInput label={w.code} description={w.codeText} autoComplete="one-time-code" required autoFocus {...form.getInputProps('code')} key={form.key('code')} />
        )}
        <Button type="submit" loading={signIn.isPending} fullWidth>
          {w.signIn}
        </Button>
        {takesPasskeys() && (
          <>
            <Divider label={w.or} />
            <Button variant="default" loading={byPasskey.isPending} fullWidth onClick={() => byPasskey.mutate()}>
              {w.byPasskey}
            </Button>
          </>
        )}
      </Stack>
    </form>
  );
}
