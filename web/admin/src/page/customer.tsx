import { CloseButton, Combobox, Group, Loader, Text, TextInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData } from '@tanstack/react-query';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import { useStore } from '../session/store';
import { Chip } from './chip';
import { usePartWords } from './words';

type Customer = Schemas['Customer'];

const named = (customer: Customer) => customer.name ?? customer.default_address?.name ?? customer.email;

/** Finds a customer of the store by what one knows of them; nobody is chosen where the ID is null. */
export function CustomerField({ label, value, onChange }: { label: string; value: string | null; onChange: (customer: Customer | null) => void }) {
  const w = usePartWords().customer;
  const { query } = useStore();
  const combobox = useCombobox();
  const [text, setText] = useState('');
  const [q] = useDebouncedValue(text.trim(), 250);
  const chosen = query.useQuery('get', '/v1/customers/{customer_id}', { params: { path: { customer_id: value ?? '' } } }, { enabled: value !== null });
  const found = query.useQuery('get', '/v1/customers', { params: { query: { limit: 8, ...(q && { q }) } } }, { enabled: combobox.dropdownOpened, placeholderData: keepPreviousData });
  if (value !== null) {
    return (
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <div style={{ minWidth: 0 }}>
          <Text size="sm" fw={600}>
            {chosen.data ? named(chosen.data) : '…'}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {chosen.data?.email}
          </Text>
        </div>
        <CloseButton aria-label={w.none} onClick={() => onChange(null)} />
      </Group>
    );
  }
  return (
    <Combobox
      store={combobox}
      onOptionSubmit={(id) => {
        onChange(found.data?.data.find((customer) => customer.id === id) ?? null);
        setText('');
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target>
        <TextInput
          label={label}
          placeholder={w.search}
          leftSection={<IconSearch size={16} aria-hidden />}
          rightSection={found.isFetching && <Loader size={16} />}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            combobox.openDropdown();
          }}
          onFocus={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options mah={280} style={{ overflowY: 'auto' }}>
          {found.data?.data.map((customer) => (
            <Combobox.Option key={customer.id} value={customer.id}>
              <Text size="sm">{named(customer)}</Text>
              <Text size="xs" c="dimmed">
                {customer.email}
              </Text>
            </Combobox.Option>
          ))}
          {found.data?.data.length === 0 && <Combobox.Empty>{w.nobody}</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}

/** The filter by a customer, by their name. */
export function CustomerChip({ id, clear }: { id: string; clear: () => void }) {
  const { query } = useStore();
  const customer = query.useQuery('get', '/v1/customers/{customer_id}', { params: { path: { customer_id: id } } }, { enabled: id !== '' });
  return id && <Chip name={customer.data ? named(customer.data) : id} clear={clear} />;
}
