import { Button, Group, Text } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { IconCheck, IconX } from '@tabler/icons-react';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import { useStore } from '../session/store';
import { useWords } from '../words/everywhere';
import { type Answer, answered } from './client';
import { fieldOf, problemOf } from './problem';

/** Says at the top of the screen that something was done. */
export function tell(message: string, action?: { label: string; run: () => void }) {
  const id = notifications.show({
    color: 'green',
    icon: <IconCheck size={18} />,
    autoClose: action ? 10_000 : 4_000,
    message: (
      <Group justify="space-between" wrap="nowrap" gap="sm">
        <Text size="sm">{message}</Text>
        {action && (
          <Button
            size="compact-sm"
            variant="light"
            onClick={() => {
              notifications.hide(id);
              action.run();
            }}
          >
            {action.label}
          </Button>
        )}
      </Group>
    ),
  });
}

/** Says so of what failed. */
export function complain(message: string) {
  notifications.show({ color: 'red', icon: <IconX size={18} />, autoClose: 10_000, message });
}

/** Gives what takes back all that requests did, by the audit; nothing to those who may not see that. */
export function useUndo() {
  const { api, can } = useStore();
  const client = useQueryClient();
  const w = useWords();
  const undo = async (requests: string[]) => {
    try {
      // One after the other: the latest change is the first to be taken back.
      for (const request_id of requests.toReversed()) {
        // oxlint-disable-next-line no-await-in-loop
        const { data } = await answered(api.GET('/v1/audit', { params: { query: { request_id, limit: 100 } } }));
        for (const entry of data.data.filter((entry) => entry.undoable)) {
          // oxlint-disable-next-line no-await-in-loop
          await answered(api.POST('/v1/audit/{audit_entry_id}/undo', { params: { path: { audit_entry_id: entry.id } } }));
        }
      }
      tell(w.undone);
      await client.invalidateQueries();
    } catch (error) {
      const problem = problemOf(error);
      complain(problem.detail ?? w.trouble.offline);
    }
  };
  return can('audit:read') ? undo : undefined;
}

type Write<In, Out> = {
  write: (given: In) => Promise<Answer<Out>>;
  /** Where faults are shown that belong to a field of it. */
  form?: Pick<UseFormReturnType<Record<string, unknown>>, 'setErrors' | 'getValues'>;
  /** What is told when it is done. */
  said?: string | ((out: Out) => string);
  /** Whether it can be taken back by the audit. */
  undoable?: boolean;
  done?: (answer: Answer<Out>, given: In) => void | Promise<void>;
  /** What is shown at once, as if it were done: what is remembered under a key, and what that will be. It is taken back where the write fails. */
  ahead?: (given: In) => { key: QueryKey; to: (now: never) => unknown };
};

/**
 * A write of the contract. What is on the screen is loaded anew when it is done. Faults are
 * put at the fields of the form that they are of, and all other trouble is told.
 */
export function useWrite<In, Out>({ write, form, said, undoable, done, ahead }: Write<In, Out>) {
  const client = useQueryClient();
  const w = useWords();
  const undo = useUndo();
  return useMutation({
    mutationFn: write,
    onMutate: async (given) => {
      if (!ahead) return undefined;
      const { key, to } = ahead(given);
      await client.cancelQueries({ queryKey: key });
      const former = client.getQueryData(key);
      if (former !== undefined) client.setQueryData(key, to(former as never));
      return { key, former };
    },
    onSuccess: async (answer, given) => {
      await done?.(answer, given);
      void client.invalidateQueries();
      if (said) {
        tell(typeof said === 'string' ? said : said(answer.data), undoable && undo && answer.requests.length > 0 ? { label: w.undo, run: () => void undo(answer.requests) } : undefined);
      }
    },
    onError: (error, _given, shown) => {
      if (shown) client.setQueryData(shown.key, shown.former);
      const problem = problemOf(error);
      if (problem.status === 409) void client.invalidateQueries(); // what is in the way may not be on the screen yet
      const placed = form ? place(form, problem.errors ?? []) : 0;
      if (problem.status === 0) complain(w.trouble.offline);
      else if (problem.status === 412) complain(w.trouble.changed);
      else if (problem.status !== 401 && (!placed || placed < (problem.errors?.length ?? 0))) complain(problem.detail ?? problem.title);
    },
  });
}

/** Puts faults at their fields, and says how many have one. */
function place(form: NonNullable<Write<unknown, unknown>['form']>, faults: { pointer: string; detail: string }[]): number {
  const values = form.getValues();
  const errors: Record<string, string> = {};
  for (const { pointer, detail } of faults) {
    const field = fieldOf(pointer);
    if (has(values, field)) errors[field] = detail;
  }
  form.setErrors(errors);
  return Object.keys(errors).length;
}

function has(values: unknown, field: string): boolean {
  let at: unknown = values;
  for (const name of field.split('.')) {
    if (typeof at !== 'object' || at === null || !(name in at)) return false;
    at = (at as Record<string, unknown>)[name];
  }
  return true;
}
