import { Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { answered, type Schemas } from '../../api/client';
import { useWrite } from '../../api/write';
import { AddressFields, addressOf, writtenAddress } from '../../page/address';
import { useForm } from '../../page/typed';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useOrderWords } from './words';

type Step = { order: Schemas['Order']; version?: string; opened: boolean; close: () => void };

/** Corrects where an order goes, who pays, and where mails about it go. */
export function Correct({ order, version, opened, close }: Step) {
  const w = useOrderWords();
  return (
    <Modal opened={opened} onClose={close} title={w.correct.title} size="lg">
      <Addresses order={order} version={version} close={close} />
    </Modal>
  );
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

function Addresses({ order, version, close }: Omit<Step, 'opened'>) {
  const w = useOrderWords();
  const everywhere = useWords();
  const { api, settings } = useStore();
  // What was sent went there; nothing to send goes nowhere.
  const goes = order.shipping_address !== null && !order.shipping?.pickup_address;
  const fixed = order.fulfilments.length > 0;
  const form = useForm({
    of: order.id,
    initialValues: {
      email: order.email,
      shipping_address: writtenAddress(order.shipping_address, settings.country),
      billed: order.billing_address !== null && !same(order.billing_address, order.shipping_address),
      billing_address: writtenAddress(order.billing_address ?? order.shipping_address, settings.country),
    },
  });
  const save = useWrite({
    form: form as never,
    said: w.correct.done,
    done: close,
    write: ({ email, shipping_address, billed, billing_address }: typeof form.values) => {
      const was = form.getInitialValues();
      return answered(
        api.PATCH('/v1/orders/{order_id}', {
          params: { path: { order_id: order.id }, header: { 'If-Match': version } },
          body: {
            email: email.trim(),
            ...(goes && !fixed && !same(shipping_address, was.shipping_address) && { shipping_address: addressOf(shipping_address) }),
            ...((billed !== was.billed || !same(billing_address, was.billing_address)) && { billing_address: billed || !goes ? (addressOf(billing_address) ?? null) : null }),
          },
        }),
      );
    },
  });
  return (
    <form onSubmit={form.onSubmit((values) => save.mutate(values))}>
      <Stack>
        <TextInput label={w.correct.email} type="email" required maxLength={254} {...form.getInputProps('email')} />
        {goes && (
          <>
            <Text fw={600}>{w.shipsTo}</Text>
            {fixed ? (
              <Text size="sm" c="dimmed">
                {w.correct.fixed}
              </Text>
            ) : (
              <AddressFields form={form} at="shipping_address" />
            )}
            <Checkbox label={w.correct.billed} {...form.getInputProps('billed', { type: 'checkbox' })} />
          </>
        )}
        {(form.values.billed || !goes) && (
          <>
            <Text fw={600}>{w.billedTo}</Text>
            <AddressFields form={form} at="billing_address" company />
          </>
        )}
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit" disabled={!form.isDirty()} loading={save.isPending}>
            {everywhere.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
