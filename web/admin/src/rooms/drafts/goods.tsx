import { ActionIcon, Avatar, Button, Checkbox, Divider, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { IconPhoto, IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { idempotencyKey, type Schemas } from '../../api/client';
import { MoneyInput } from '../../page/money';
import { type Picked, PickVariants } from '../../page/pick';
import { Section } from '../../page/section';
import { useForm } from '../../page/typed';
import { useWords } from '../../words/everywhere';
import { type DraftLine, type DraftValues, noOff } from './model';
import { OffButton } from './off';
import { useDraftWords } from './words';

type GoodsProps = { form: UseFormReturnType<DraftValues>; problems: Schemas['CartProblem'][]; fixed: boolean };

/** What is in a draft order, at what was agreed. */
export function Goods({ form, problems, fixed }: GoodsProps) {
  const w = useDraftWords();
  const [adding, setAdding] = useState<'products' | 'other'>();
  const stop = () => setAdding(undefined);
  const { lines, currency } = form.values;
  const set = (next: DraftLine[]) => form.setFieldValue('lines', next);
  const add = (picked: Picked[]) =>
    set([
      ...lines,
      ...picked.map(({ product, variant }) => ({
        key: idempotencyKey(),
        variant_id: variant.id,
        title: product.title,
        variant_title: variant.title,
        image_url: product.images.find(({ id }) => id === variant.image_id)?.url ?? product.images[0]?.url ?? null,
        quantity: 1,
        price: variant.prices.find((price) => price.currency === currency)?.amount ?? null,
        off: noOff,
        more: {},
      })),
    ]);
  return (
    <Section
      title={w.goods.title}
      actions={
        !fixed && (
          <Group gap="xs">
            <Button size="xs" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setAdding('products')}>
              {w.goods.add}
            </Button>
            <Button size="xs" variant="default" onClick={() => setAdding('other')}>
              {w.goods.other}
            </Button>
          </Group>
        )
      }
    >
      {lines.length === 0 && (
        <Text size="sm" c={form.errors.lines ? 'var(--stoa-bad)' : 'dimmed'} py="md" ta="center" role={form.errors.lines ? 'alert' : undefined}>
          {form.errors.lines ?? w.goods.none}
        </Text>
      )}
      {lines.map((line, n) => (
        <div key={line.key}>
          {n > 0 && <Divider mb="md" />}
          <Line
            line={line}
            currency={currency}
            error={form.errors[`lines.${n}.quantity`] ?? form.errors[`lines.${n}.unit_price`] ?? problems.find(({ line_id }) => line_id === line.key)?.detail}
            change={(changes) => set(lines.with(n, { ...line, ...changes }))}
            remove={() => set(lines.toSpliced(n, 1))}
          />
        </div>
      ))}
      <PickVariants opened={adding === 'products'} close={stop} add={add} />
      <Modal opened={adding === 'other'} onClose={stop} title={w.goods.other}>
        <Other
          currency={currency}
          close={stop}
          add={(line) => {
            set([...lines, line]);
            stop();
          }}
        />
      </Modal>
    </Section>
  );
}

type LineProps = { line: DraftLine; currency: string; error?: ReactNode; change: (changes: Partial<DraftLine>) => void; remove: () => void };

function Line({ line, currency, error, change, remove }: LineProps) {
  const w = useDraftWords();
  const everywhere = useWords();
  return (
    <Group gap="sm" justify="space-between" align="flex-start">
      <Group gap="sm" wrap="nowrap" flex="1 1 200px" miw={0} align="flex-start">
        <Avatar src={line.image_url} size={44} radius="md" alt="" color="gray">
          <IconPhoto size={19} stroke={1.5} aria-hidden />
        </Avatar>
        <Stack gap={2} miw={0} align="flex-start">
          <Text size="sm" fw={600}>
            {line.title}
          </Text>
          <Text size="xs" c="dimmed">
            {line.variant_id ? line.variant_title !== 'Default' && line.variant_title : w.goods.notInCatalogue}
          </Text>
          <OffButton label={w.off.of(line.title)} currency={currency} value={line.off} onChange={(off) => change({ off })} />
          {error && (
            <Text size="xs" c="var(--stoa-bad)" role="alert">
              {error}
            </Text>
          )}
        </Stack>
      </Group>
      <Group gap="xs" wrap="nowrap">
        <MoneyInput aria-label={w.goods.price(line.title)} currency={currency} w={116} placeholder={w.goods.present} value={line.price} onChange={(price) => change({ price })} />
        <NumberInput
          aria-label={w.goods.quantity(line.title)}
          w={80}
          min={1}
          max={9999}
          clampBehavior="strict"
          allowDecimal={false}
          value={line.quantity}
          onChange={(n) => change({ quantity: Number(n) || 1 })}
        />
        <ActionIcon size="lg" aria-label={`${everywhere.remove}: ${line.title}`} onClick={remove}>
          <IconTrash size={18} />
        </ActionIcon>
      </Group>
    </Group>
  );
}

/** Something that is in no catalogue. */
function Other({ currency, add, close }: { currency: string; add: (line: DraftLine) => void; close: () => void }) {
  const w = useDraftWords();
  const everywhere = useWords();
  const form = useForm({
    initialValues: { title: '', price: null as number | null, quantity: 1, requires_shipping: true, taxable: true },
    validate: { title: (title) => (title.trim() ? null : w.goods.nameIt), price: (price) => (price === null ? w.goods.priceIt : null) },
  });
  return (
    <form
      onSubmit={(event) => {
        event.stopPropagation();
        form.onSubmit(({ title, price, quantity, requires_shipping, taxable }) =>
          add({ key: idempotencyKey(), variant_id: null, title: title.trim(), variant_title: '', image_url: null, quantity, price, off: noOff, more: { requires_shipping, taxable } }),
        )(event);
      }}
    >
      <Stack>
        <TextInput label={w.goods.name} maxLength={255} data-autofocus {...form.getInputProps('title')} />
        <Group grow align="flex-start">
          <MoneyInput label={w.goods.priceOfIt} currency={currency} value={form.values.price} error={form.errors.price} onChange={(price) => form.setFieldValue('price', price)} />
          <NumberInput label={w.goods.quantityOfIt} min={1} max={9999} clampBehavior="strict" allowDecimal={false} {...form.getInputProps('quantity')} />
        </Group>
        <Checkbox label={w.goods.ships} {...form.getInputProps('requires_shipping', { type: 'checkbox' })} />
        <Checkbox label={w.goods.taxed} {...form.getInputProps('taxable', { type: 'checkbox' })} />
        <Group justify="end">
          <Button variant="default" onClick={close}>
            {everywhere.cancel}
          </Button>
          <Button type="submit">{everywhere.add}</Button>
        </Group>
      </Stack>
    </form>
  );
}
