import { Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { useForm } from '../../page/typed';
import { type Permission, useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { Permissions } from './permissions';
import { useStaffWords } from './words';

/** A role of the store's own, new or to be changed. */
export function RoleForm({ role, close }: { role?: Schemas['Role']; close: () => void }) {
  const w = useStaffWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ of: role?.id, initialValues: { name: role?.name ?? '', description: role?.description ?? '', permissions: role?.permissions ?? (['products:read', 'store:read', 'settings:read'] as Permission[]) } });
  const save = useWrite({
    form: form as never,
    said: w.roles.saved,
    undoable: true,
    done: close,
    write: ({ name, description, permissions }: typeof form.values) =>
      role
        ? answered(api.PATCH('/v1/roles/{role_id}', { params: { path: { role_id: role.id }, header: { 'If-Match': '*' } }, body: { name: name.trim(), description: description.trim() || null, permissions } }))
        : answered(api.POST('/v1/roles', { params: { header: { 'Idempotency-Key': key } }, body: { name: name.trim(), ...(description.trim() && { description: description.trim() }), permissions } })),
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.roles.name} required maxLength={64} data-autofocus {...form.getInputProps('name')} />
        <TextInput label={w.roles.description} maxLength={500} {...form.getInputProps('description')} />
        <Permissions label={w.roles.may} value={form.values.permissions} error={form.errors.permissions} onChange={(permissions) => form.setFieldValue('permissions', permissions)} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
