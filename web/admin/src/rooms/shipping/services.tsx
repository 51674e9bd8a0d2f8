import { ActionIcon, Anchor, Button, Group, Menu, Modal, Stack, Text, TextInput } from '@mantine/core';
import { IconDots, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { Ending } from '../../page/form';
import { Section } from '../../page/section';
import { useForm } from '../../page/typed';
import { Toggle } from '../../page/toggle';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { Secret } from '../developers/secret';
import { useShippingWords } from './words';

type Service = Schemas['RateService'];

/** The merchant's own programs that are asked for what sending costs, or for taxes. */
export function RateServices({ kind, services }: { kind: Schemas['RateServiceKind']; services: Service[] }) {
  const w = useShippingWords();
  const { can } = useStore();
  const [opened, setOpened] = useState<Service | 'new'>();
  const [secret, setSecret] = useState<string | null>();
  const writes = can('settings:write');
  if (services.length === 0 && !writes) return null;
  return (
    <Section
      title={w.service.titles[kind]}
      text={w.service.texts[kind]}
      actions={
        writes && (
          <Button variant="default" size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpened('new')}>
            {w.service.add}
          </Button>
        )
      }
    >
      {services.length === 0 && (
        <Text size="sm" c="dimmed">
          {w.service.none}{' '}
          <Anchor href="/docs" target="_blank" rel="noopener" inherit underline="always">
            {w.service.how}
          </Anchor>
        </Text>
      )}
      {services.map((service) => (
        <Listed key={service.id} service={service} edit={() => setOpened(service)} />
      ))}
      <Modal opened={opened !== undefined} onClose={() => setOpened(undefined)} title={opened === 'new' ? w.service.add : opened?.name}>
        {opened && <ServiceForm kind={kind} service={opened === 'new' ? undefined : opened} made={setSecret} close={() => setOpened(undefined)} />}
      </Modal>
      <Secret value={secret} close={() => setSecret(undefined)} />
    </Section>
  );
}

function Listed({ service, edit }: { service: Service; edit: () => void }) {
  const w = useShippingWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, can } = useStore();
  const path = { rate_service_id: service.id };
  const change = useWrite({
    write: (active: boolean) => answered(api.PATCH('/v1/rate-services/{rate_service_id}', { params: { path, header: { 'If-Match': '*' } }, body: { active } })),
    said: everywhere.saved,
    undoable: true,
  });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/rate-services/{rate_service_id}', { params: { path } })), said: w.service.deleted(service.name), undoable: true });
  const writes = can('settings:write');
  return (
    <Group wrap="nowrap" gap="md" align="flex-start">
      <Toggle mt={2} aria-label={w.service.asked(service.name)} disabled={!writes} checked={service.active} turn={(active) => change.mutateAsync(active)} />
      <Stack gap={0} flex={1} miw={0}>
        <Text size="sm" fw={600}>
          {service.name}
        </Text>
        <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {service.url}
        </Text>
        {service.last_failure && (
          <Text size="xs" c="var(--stoa-bad)" style={{ overflowWrap: 'anywhere' }}>
            {w.service.failed(f.ago(service.last_failure.at), service.last_failure.reason)}
          </Text>
        )}
      </Stack>
      {writes && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label={`${everywhere.actions}: ${service.name}`}>
              <IconDots size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
              {everywhere.edit}
            </Menu.Item>
            <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove.mutate()}>
              {everywhere.delete}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}

function ServiceForm({ kind, service, made, close }: { kind: Schemas['RateServiceKind']; service?: Service; made: (secret: string | null) => void; close: () => void }) {
  const w = useShippingWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ of: service?.id, initialValues: { name: service?.name ?? '', url: service?.url ?? '' } });
  const save = useWrite({
    form: form as never,
    said: service && everywhere.saved,
    undoable: service !== undefined,
    write: async ({ name, url }: typeof form.values) => {
      const body = { name: name.trim(), url: url.trim() };
      if (service) {
        const { requests } = await answered(api.PATCH('/v1/rate-services/{rate_service_id}', { params: { path: { rate_service_id: service.id }, header: { 'If-Match': '*' } }, body }));
        return { data: undefined, requests, version: undefined };
      }
      const { data, requests } = await answered(api.POST('/v1/rate-services', { params: { header: { 'Idempotency-Key': key } }, body: { kind, ...body } }));
      return { data: data.secret, requests, version: undefined };
    },
    done: ({ data }) => {
      close();
      if (data !== undefined) made(data);
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.service.name} required maxLength={255} data-autofocus {...form.getInputProps('name')} />
        <TextInput label={w.service.url} type="url" placeholder="https://" required maxLength={2048} {...form.getInputProps('url')} />
        <Ending go={everywhere.save} pending={save.isPending} close={close} />
      </Stack>
    </form>
  );
}
