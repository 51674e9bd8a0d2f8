import { ActionIcon, Button, Checkbox, Group, Modal, Stack, Text } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { AddressFields, addressOf, postal, type Written, writtenAddress } from '../../page/address';
import { Section } from '../../page/section';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useCustomerWords } from './words';

/** An address of the book as one writes it; a new one has no ID yet. */
export type Entry = { id?: string; address: Written; default_shipping: boolean; default_billing: boolean };

export const writtenBook = ({ addresses }: Schemas['Customer']): Entry[] => addresses.map(({ address, ...entry }) => ({ ...entry, address: writtenAddress(address) }));

/** A book as the API takes it; an address in which nothing is left is in it no more. */
export function bookOf(entries: Entry[]): Schemas['CustomerAddressInput'][] {
  return entries.flatMap(({ address, ...entry }) => {
    const whole = addressOf(address);
    return whole ? [{ ...entry, address: whole }] : [];
  });
}

/** The address book, which is part of the customer's form. */
export function Addresses<Values extends { addresses: Entry[] }>({ form, writes }: { form: UseFormReturnType<Values>; writes: boolean }) {
  const w = useCustomerWords();
  const everywhere = useWords();
  const f = useFormat();
  const { settings } = useStore();
  const [opened, setOpened] = useState<number>();
  const { addresses } = form.values;
  const set = (next: Entry[]) => form.setFieldValue('addresses', next as never);
  const add = () => {
    const [first] = addresses;
    set([...addresses, { address: writtenAddress(null, first?.address.country ?? settings.country), default_shipping: !first, default_billing: !first }]);
    setOpened(addresses.length);
  };
  // Of all, one at most is where things are sent, and one who pays.
  const mark = (n: number, which: 'default_shipping' | 'default_billing', on: boolean) => set(addresses.map((entry, at) => ({ ...entry, [which]: at === n ? on : entry[which] && !on })));
  const shown = opened === undefined ? undefined : addresses[opened];
  return (
    <Section
      title={w.addresses.title}
      actions={
        writes && (
          <Button variant="subtle" size="compact-sm" leftSection={<IconPlus size={15} aria-hidden />} onClick={add}>
            {everywhere.add}
          </Button>
        )
      }
    >
      {addresses.length === 0 && (
        <Text size="sm" c="dimmed">
          {w.addresses.none}
        </Text>
      )}
      {addresses.map((entry, n) => {
        const lines = postal(addressOf(entry.address) ?? ({ country: '' } as never), (code) => code && f.country(code));
        const wrong = Object.entries(form.errors).find(([field]) => field.startsWith(`addresses.${n}.`))?.[1];
        return (
          // oxlint-disable-next-line react/no-array-index-key -- a new one has nothing else that tells it apart
          <Group key={entry.id ?? n} justify="space-between" align="flex-start" wrap="nowrap">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" style={{ whiteSpace: 'pre-line', overflowWrap: 'anywhere' }}>
                {lines.join('\n') || w.addresses.empty}
              </Text>
              <Text size="xs" c="dimmed">
                {[entry.default_shipping && w.addresses.shipping, entry.default_billing && w.addresses.billing].filter(Boolean).join(' · ')}
              </Text>
              {wrong && (
                <Text size="xs" c="var(--stoa-bad)" role="alert">
                  {wrong}
                </Text>
              )}
            </div>
            {writes && (
              <Group gap={4} wrap="nowrap">
                <ActionIcon aria-label={`${everywhere.edit}: ${lines[0] ?? w.addresses.empty}`} onClick={() => setOpened(n)}>
                  <IconPencil size={17} />
                </ActionIcon>
                <ActionIcon aria-label={`${everywhere.remove}: ${lines[0] ?? w.addresses.empty}`} onClick={() => set(addresses.toSpliced(n, 1))}>
                  <IconTrash size={17} />
                </ActionIcon>
              </Group>
            )}
          </Group>
        );
      })}
      <Modal opened={shown !== undefined} onClose={() => setOpened(undefined)} title={w.addresses.one}>
        {shown && opened !== undefined && (
          <Stack>
            <AddressFields form={form} at={`addresses.${opened}.address`} company />
            <Checkbox label={w.addresses.shipping} checked={shown.default_shipping} onChange={(event) => mark(opened, 'default_shipping', event.currentTarget.checked)} />
            <Checkbox label={w.addresses.billing} checked={shown.default_billing} onChange={(event) => mark(opened, 'default_billing', event.currentTarget.checked)} />
            <Group justify="end">
              <Button onClick={() => setOpened(undefined)}>{w.addresses.done}</Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </Section>
  );
}
