import { ActionIcon, Alert, Button, Code, Group, Menu, Modal, Skeleton, Stack, Table, Text, TextInput } from '@mantine/core';
import { IconDots, IconExternalLink, IconFlask, IconPlus, IconRefresh, IconStar, IconTrash, IconWorld } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { complain, tell, useWrite } from '../../api/write';
import { Copy } from '../../page/copy';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { Ending } from '../../page/form';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { type Mood, State } from '../../page/state';
import { Sure } from '../../page/sure';
import { Trouble } from '../../page/trouble';
import { useForm } from '../../page/typed';
import { labelOf, useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import classes from './domains.module.css';
import { useDomainWords } from './words';

type Domain = Schemas['Domain'];

const moods: Record<Domain['state'], Mood> = { pending: 'waits', active: 'well', failing: 'wrong', lost: 'wrong' };

/** The domains at which the shop is found: the merchant's own ones, and the one that comes with it. */
export default function Domains() {
  const w = useDomainWords();
  const { mode, settings, can, query } = useStore();
  const filters = useFilters('new');
  const live = mode === 'live';
  const domains = query.useQuery(
    'get',
    '/v1/domains',
    { params: { query: { limit: 100 } } },
    // Records that are being set show by themselves.
    { enabled: live, refetchInterval: (known) => (known.state.data?.data.some(({ state, certificate }) => state !== 'active' || certificate.state === 'waiting') ? 15_000 : false) },
  );
  if (!live) {
    return (
      <Page narrow title={w.title}>
        <Empty
          icon={IconFlask}
          {...w.sandbox}
          action={
            <Button component={Link} to={`/${labelOf(settings.address, 'live')}/domains`} variant="default">
              {w.sandbox.action}
            </Button>
          }
        />
      </Page>
    );
  }
  if (domains.isLoadingError) return <Trouble error={domains.error} retry={domains.refetch} />;
  const add = can('domains:write') && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ new: 'yes' })}>
      {w.add}
    </Button>
  );
  const own = domains.data?.data ?? [];
  const primary = own.find((domain) => domain.primary && (domain.state === 'active' || domain.state === 'failing'));
  return (
    <Page narrow title={w.title} text={w.text} actions={own.length > 0 && add}>
      <Stack gap="lg">
        {domains.isPending && <Skeleton height={180} radius="lg" />}
        {domains.data && own.length === 0 && (
          <Section flush>
            <Empty icon={IconWorld} {...w.empty} action={add} />
          </Section>
        )}
        {own.map((domain) => (
          <One key={domain.id} domain={domain} />
        ))}
        {domains.data && <Ours taken={primary !== undefined} />}
      </Stack>
      <Modal opened={filters.values.new !== ''} onClose={filters.clear} title={w.add}>
        <NewDomain close={filters.clear} />
      </Modal>
    </Page>
  );
}

/** The address that the shop has without one of its own. */
function Ours({ taken }: { taken: boolean }) {
  const w = useDomainWords();
  const { settings } = useStore();
  const host = `${settings.address}.${window.location.host}`;
  return (
    <Section>
      <div className={classes.name}>
        <Group gap="xs">
          <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
            {host}
          </Text>
          {!taken && <State mood="well">{w.primary}</State>}
        </Group>
        <Text size="sm" c="dimmed">
          {taken ? w.leads : w.ours}
        </Text>
      </div>
    </Section>
  );
}

function One({ domain }: { domain: Domain }) {
  const w = useDomainWords();
  const everywhere = useWords();
  const f = useFormat();
  const { api, can } = useStore();
  const [asked, setAsked] = useState(false);
  const path = { domain_id: domain.id };
  const verify = useWrite({
    write: () => answered(api.POST('/v1/domains/{domain_id}/verify', { params: { path } })),
    done: ({ data }) => (data.state === 'active' ? tell(w.verified(data.display_name)) : complain(leftToDo(data, w)[0] ?? w.notYet)),
  });
  const make = useWrite({
    write: (primary: boolean) => answered(api.PATCH('/v1/domains/{domain_id}', { params: { path }, body: { primary } })),
    said: (after: Domain) => (after.primary ? w.madePrimary(after.display_name) : everywhere.saved),
    undoable: true,
  });
  const remove = useWrite({ write: () => answered(api.DELETE('/v1/domains/{domain_id}', { params: { path } })), said: w.remove.done(domain.display_name), done: () => setAsked(false) });
  const served = domain.state === 'active' || domain.state === 'failing';
  const writes = can('domains:write');
  const { certificate } = domain;
  const left = leftToDo(domain, w);
  return (
    <Section>
      <Group justify="space-between" wrap="nowrap" align="start">
        <div className={classes.name}>
          <Group gap="xs">
            <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
              {domain.display_name}
            </Text>
            <State mood={moods[domain.state]}>{w.states[domain.state]}</State>
            {domain.primary && served && <State mood="well">{w.primary}</State>}
          </Group>
          <Text size="sm" c="dimmed">
            {w.stateText[domain.state]}
          </Text>
          {left.map((text) => (
            <Text key={text} size="sm" fw={500} mt={4}>
              {text}
            </Text>
          ))}
        </div>
        <Group gap="xs" wrap="nowrap">
          {served && (
            <ActionIcon component="a" size={36} variant="default" href={`${new URL(window.location.href).protocol}//${domain.name}`} target="_blank" rel="noopener" aria-label={domain.display_name}>
              <IconExternalLink size={18} />
            </ActionIcon>
          )}
          {writes && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon size={36} variant="default" aria-label={`${everywhere.actions}: ${domain.display_name}`}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {served && (
                  <Menu.Item leftSection={<IconStar size={16} aria-hidden />} onClick={() => make.mutate(!domain.primary)}>
                    {domain.primary ? w.notPrimary : w.makePrimary}
                  </Menu.Item>
                )}
                <Menu.Item leftSection={<IconRefresh size={16} aria-hidden />} onClick={() => verify.mutate()}>
                  {w.verify}
                </Menu.Item>
                <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsked(true)}>
                  {w.remove.do}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      </Group>
      {domain.state !== 'active' && domain.records.length > 0 && <Records domain={domain} />}
      {domain.conflicts.length > 0 && (
        <Alert color="yellow" title={w.conflicts}>
          <Text size="sm">{w.conflictsText}</Text>
          {domain.conflicts.map(({ type, name, value }) => (
            <Code key={`${type} ${value}`} block mt="xs">
              {type} {name} {value}
            </Code>
          ))}
        </Alert>
      )}
      {domain.taken && (
        <Alert color="red" title={w.taken}>
          {w.takenText}
        </Alert>
      )}
      {certificate.failure && <Alert color="red">{certificate.failure}</Alert>}
      <Group justify="space-between" gap="sm">
        <Text size="xs" c="dimmed">
          {[domain.checked_at ? w.checked(f.ago(domain.checked_at)) : w.never, served && `${w.certificate}: ${w.certificates[certificate.state]}${certificate.expires_at ? ` ${w.until(f.date(certificate.expires_at))}` : ''}`].filter(Boolean).join(' · ')}
        </Text>
        {writes && domain.state !== 'active' && (
          <Button variant="default" size="xs" leftSection={<IconRefresh size={15} aria-hidden />} loading={verify.isPending} onClick={() => verify.mutate()}>
            {w.verify}
          </Button>
        )}
      </Group>
      <Sure opened={asked} title={w.remove.title(domain.display_name)} text={w.remove.text} go={w.remove.do} pending={remove.isPending} confirm={() => remove.mutate()} close={() => setAsked(false)} />
    </Section>
  );
}

/** What the last look found lacking. What leads elsewhere is told beside the records. */
function leftToDo({ state, checked_at, records }: Domain, w: ReturnType<typeof useDomainWords>): string[] {
  if (state === 'active' || !checked_at) return [];
  if (records.length > 0 && records.every((record) => record.state === 'unchecked')) return [w.left.silent];
  const lacking = (purpose: keyof typeof w.purposes) => records.filter((record) => record.purpose === purpose).every((record) => record.state === 'missing');
  return [...(state !== 'failing' && lacking('ownership') ? [w.left.ownership] : []), ...(lacking('pointing') ? [w.left.pointing] : [])];
}

const recordMoods: Record<Schemas['DomainRecord']['state'], Mood> = { unchecked: 'waits', found: 'well', missing: 'wrong', optional: 'over' };

/** What has to be set where the domain is administered, ready to be copied. */
function Records({ domain }: { domain: Domain }) {
  const w = useDomainWords();
  return (
    <Table.ScrollContainer minWidth={620} type="native">
      <Table aria-label={w.records} verticalSpacing="xs" className={classes.records}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={80}>{w.type}</Table.Th>
            <Table.Th>{w.host}</Table.Th>
            <Table.Th>{w.value}</Table.Th>
            <Table.Th w={170}>{w.state}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {domain.records.map((record) => (
            <Table.Tr key={`${record.type} ${record.name} ${record.value}`}>
              <Table.Td>
                <Code>{record.type}</Code>
              </Table.Td>
              <Table.Td>
                <Copyable value={record.host} />
              </Table.Td>
              <Table.Td>
                <Copyable value={record.value} />
                <Text size="xs" c="dimmed">
                  {w.purposes[record.purpose]}
                </Text>
              </Table.Td>
              <Table.Td>
                <State mood={recordMoods[record.state]}>{w.recordStates[record.state]}</State>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Copyable({ value }: { value: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
        {value}
      </Text>
      <Copy value={value} />
    </Group>
  );
}

function NewDomain({ close }: { close: () => void }) {
  const w = useDomainWords();
  const everywhere = useWords();
  const { api } = useStore();
  const [key] = useState(idempotencyKey);
  const form = useForm({ initialValues: { name: '' } });
  const add = useWrite({
    form: form as never,
    // What is pasted is often a whole address.
    write: ({ name }: { name: string }) => answered(api.POST('/v1/domains', { params: { header: { 'Idempotency-Key': key } }, body: { name: name.trim().replace(/^https?:\/\//, '').replace(/\/.*$/, '') } })),
    said: ({ display_name }: Domain) => w.added(display_name),
    done: close,
  });
  return (
    <form onSubmit={form.onSubmit((values) => add.mutate(values))}>
      <Stack>
        <TextInput label={w.name} description={w.nameText} placeholder={w.nameExample} inputWrapperOrder={['label', 'input', 'description', 'error']} required maxLength={253} autoCapitalize="none" spellCheck={false} data-autofocus {...form.getInputProps('name')} />
        <Ending go={everywhere.add} pending={add.isPending} close={close} />
      </Stack>
    </form>
  );
}
