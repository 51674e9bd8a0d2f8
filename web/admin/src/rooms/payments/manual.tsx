import { Stack, TextInput, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { answered, type Schemas } from '../../api/client';
import { problemOf, Refused } from '../../api/problem';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { usePaymentWords } from './words';

/** A way to pay in which no provider takes part; at -1 it is a new one, and is offered at once. */
export function ManualForm({ settings, version, at, close }: { settings: Schemas['PaymentSettings']; version?: string; at: number; close: () => void }) {
  const w = usePaymentWords();
  const everywhere = useWords();
  const { api } = useStore();
  const client = useQueryClient();
  const { manual_methods: methods, providers } = settings;
  const method = methods[at];
  const form = useForm({ of: method?.id, initialValues: { name: method?.name ?? '', instructions: method?.instructions ?? '' } });
  const place = method ? at : methods.length;
  const save = useWrite({
    form: form as never,
    said: everywhere.saved,
    undoable: true,
    write: ({ name, instructions }: typeof form.values) => {
      const written = { id: method?.id ?? newID(name, methods), name: name.trim(), instructions: instructions.trim() };
      return answered(
        api.PATCH('/v1/payment-settings', {
          params: { header: { 'If-Match': version } },
          body: { manual_methods: methods.toSpliced(place, method ? 1 : 0, written), ...(!method && !providers.includes('manual') && { providers: [...providers, 'manual' as const] }) },
        }),
      ).catch((error) => {
        // The form is one of the list's.
        const problem = problemOf(error);
        throw problem.errors ? new Refused({ ...problem, errors: problem.errors.map((fault) => ({ ...fault, pointer: fault.pointer.replace(`/manual_methods/${place}`, '') })) }) : error;
      });
    },
    done: (answer) => {
      client.setQueryData(['payment-settings'], answer);
      close();
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.manual.name} placeholder={w.manual.nameExample} required maxLength={100} data-autofocus {...form.getInputProps('name')} />
        <Textarea label={w.manual.instructions} description={w.manual.instructionsText} placeholder={w.manual.instructionsExample} autosize minRows={3} maxLength={2000} {...form.getInputProps('instructions')} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}

/** A name for programs, of the name for people, that no other method has. */
function newID(name: string, methods: Schemas['ManualMethod'][]): string {
  const plain = name.normalize('NFKD').toLowerCase().replaceAll(/[^a-z0-9]+/g, '_').replaceAll(/^_+|_+$/g, '').slice(0, 36) || 'method';
  for (let n = 1; ; n++) {
    const id = n === 1 ? plain : `${plain}_${n}`;
    if (methods.every((method) => method.id !== id)) return id;
  }
}
