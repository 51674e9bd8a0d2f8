import { Button, Group, Stack } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { CustomFields, fieldChanges, type FieldValues } from '../../page/fields';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';

/** What an order holds in the fields that the merchant has defined for orders. */
export function Fields({ order, version }: { order: Schemas['Order']; version?: string }) {
  const everywhere = useWords();
  const { api, can } = useStore();
  const there: FieldValues = order.custom_fields;
  const [values, setValues] = useState(there);
  const [errors, setErrors] = useState<Record<string, ReactNode>>({});
  const changes = fieldChanges(values, there);
  const save = useWrite({
    form: { getValues: () => ({ custom_fields: { ...there, ...values } }), setErrors },
    said: everywhere.saved,
    write: () => answered(api.PATCH('/v1/orders/{order_id}', { params: { path: { order_id: order.id }, header: { 'If-Match': version } }, body: { custom_fields: changes as Schemas['OrderUpdate']['custom_fields'] } })),
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setErrors({});
        save.mutate();
      }}
    >
      <fieldset disabled={!can('orders:write')} style={{ border: 0, padding: 0, margin: 0, minWidth: 0 }}>
        <Stack gap="xs">
          <CustomFields resource="order" values={values} errors={errors} change={setValues} />
          {changes && (
            <Group justify="end" gap="xs">
              <Button variant="default" size="xs" onClick={() => setValues(there)}>
                {everywhere.discard}
              </Button>
              <Button type="submit" size="xs" loading={save.isPending}>
                {everywhere.save}
              </Button>
            </Group>
          )}
        </Stack>
      </fieldset>
    </form>
  );
}
