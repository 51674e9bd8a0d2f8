import { Button, Popover, Select, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconTruck } from '@tabler/icons-react';
import { MoneyInput } from '../../page/money';
import { useStore } from '../../session/store';
import { type DraftValues, agreedShipping, openShipping } from './model';
import { useDraftWords } from './words';

/** How a draft order is sent: by a method of the store, as it was agreed, or as its shopper will say. */
export function Shipping({ form }: { form: UseFormReturnType<DraftValues> }) {
  const w = useDraftWords();
  const { query, can } = useStore();
  const methods = query.useQuery('get', '/v1/shipping-methods', { params: { query: { limit: 100 } } }, { enabled: can('settings:read') });
  const { shipping, currency } = form.values;
  const set = (changes: Partial<typeof shipping>) => form.setFieldValue('shipping', { ...shipping, ...changes });
  return (
    <Popover width={280} position="bottom-start" shadow="md" trapFocus>
      <Popover.Target>
        <Button variant="subtle" size="compact-xs" leftSection={<IconTruck size={14} aria-hidden />}>
          {w.shipping.choose}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm">
          <Select
            label={w.shipping.title}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
            data={[
              { value: openShipping, label: w.shipping.open },
              ...(methods.data?.data.filter(({ active }) => active).map(({ id, name }) => ({ value: id, label: name })) ?? []),
              { value: agreedShipping, label: w.shipping.agreed },
            ]}
            value={shipping.by}
            error={form.errors.shipping_method_id}
            onChange={(by) => set({ by: by ?? openShipping })}
          />
          {shipping.by === agreedShipping && (
            <>
              <TextInput label={w.shipping.name} maxLength={255} value={shipping.name} onChange={(event) => set({ name: event.currentTarget.value })} />
              <MoneyInput label={w.shipping.price} currency={currency} value={shipping.price} onChange={(price) => set({ price })} />
            </>
          )}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
