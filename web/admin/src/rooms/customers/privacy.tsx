import { ActionIcon, Button, Group, Menu, Modal, Stack, Text, Textarea } from '@mantine/core';
import { IconDots, IconDownload, IconEraser, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { save } from '../../page/file';
import { Sure } from '../../page/sure';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useCustomerWords } from './words';

/** What can be done with all that there is of somebody. */
export function Everything({ customer }: { customer: Schemas['Customer'] }) {
  const w = useCustomerWords();
  const everywhere = useWords();
  const { api, can, to } = useStore();
  const go = useNavigate();
  const [asked, setAsked] = useState<'delete' | 'erase'>();
  const close = () => setAsked(undefined);
  const take = useWrite({
    write: () => answered(api.POST('/v1/personal-data/export', { body: { customer_id: customer.id } })),
    done: ({ data }) => save(new Blob([JSON.stringify(data, null, 2)], { type: 'application/json' }), `${customer.id}.json`),
  });
  const remove = useWrite({
    write: () => answered(api.DELETE('/v1/customers/{customer_id}', { params: { path: { customer_id: customer.id } } })),
    said: w.deleted,
    done: () => void go(to('customers')),
  });
  if (!can('customers:write') && !can('personal_data:read')) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={everywhere.actions} loading={take.isPending}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {can('personal_data:read') && (
            <Menu.Item leftSection={<IconDownload size={16} aria-hidden />} onClick={() => take.mutate()}>
              {w.privacy.take}
            </Menu.Item>
          )}
          {can('personal_data:write') && (
            <Menu.Item color="red" leftSection={<IconEraser size={16} aria-hidden />} onClick={() => setAsked('erase')}>
              {w.privacy.erase}
            </Menu.Item>
          )}
          {can('customers:write') && (
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsked('delete')}>
              {everywhere.delete}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <Sure opened={asked === 'delete'} title={w.remove.title} text={w.remove.text} go={everywhere.delete} pending={remove.isPending} confirm={() => remove.mutate()} close={close} />
      <Modal opened={asked === 'erase'} onClose={close} title={w.privacy.title}>
        <Erase customer={customer} close={close} />
      </Modal>
    </>
  );
}

function Erase({ customer, close }: { customer: Schemas['Customer']; close: () => void }) {
  const w = useCustomerWords();
  const everywhere = useWords();
  const { api, to } = useStore();
  const go = useNavigate();
  const [key] = useState(idempotencyKey);
  const form = useForm({ initialValues: { reason: '' } });
  const erase = useWrite({
    form: form as never,
    said: w.privacy.done,
    write: ({ reason }: typeof form.values) =>
      answered(api.POST('/v1/personal-data/erasures', { params: { header: { 'Idempotency-Key': key } }, body: { customer_id: customer.id, ...(reason.trim() && { reason: reason.trim() }) } })),
    done: () => void go(to('customers')),
  });
  return (
    <form onSubmit={form.onSubmit((values) => erase.mutate(values))}>
      <Stack>
        <Text size="sm">{w.privacy.text}</Text>
        <Textarea label={w.privacy.reason} description={w.privacy.reasonText} autosize minRows={2} maxLength={1000} {...form.getInputProps('reason')} />
        <Group justify="end">
          <Button variant="default" onClick={close} data-autofocus>
            {everywhere.cancel}
          </Button>
          <Button type="submit" color="red" loading={erase.isPending}>
            {w.privacy.erase}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
