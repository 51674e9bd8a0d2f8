import { Anchor, Button, Modal, Stack, Text } from '@mantine/core';
import { IconPlus, IconReceiptTax } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { useFilters } from '../../page/filters';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { RateServices } from '../shipping/services';
import { RateForm } from './rate';
import { useTaxWords } from './words';

type Rate = Schemas['TaxRate'];

/** Which taxes are collected, and where. */
export default function Taxes() {
  const w = useTaxWords();
  const f = useFormat();
  const { query, can, settings, to } = useStore();
  const filters = useFilters('rate');
  const rates = query.useInfiniteQuery('get', '/v1/tax-rates', { params: { query: { limit: 100 } } }, pages);
  const services = query.useQuery('get', '/v1/rate-services', { params: { query: { limit: 100 } } });
  const writes = can('settings:write');
  const opened = rates.data?.pages.flatMap((page) => page.data).find(({ id }) => id === filters.values.rate);
  const add = writes && (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => filters.set({ rate: 'new' })}>
      {w.add}
    </Button>
  );
  return (
    <Page
      title={w.title}
      narrow
      text={
        <>
          {settings.prices_include_tax ? w.included : w.excluded}{' '}
          {can('store:write') && (
            <Anchor component={Link} to={to('settings')} inherit underline="always">
              {w.change}
            </Anchor>
          )}
        </>
      }
      actions={add}
    >
      <Stack gap="lg">
        <List<Rate>
          label={w.title}
          query={rates}
          id={(rate) => rate.id}
          open={writes ? (rate) => filters.set({ rate: rate.id }) : undefined}
          empty={<Empty icon={IconReceiptTax} {...w.empty} action={add} />}
          columns={[
            {
              name: w.columns.where,
              cell: ({ country, region, postal_codes }) => (
                <>
                  {f.country(country)}
                  {(region || postal_codes.length > 0) && (
                    <Text size="xs" c="dimmed" lineClamp={1}>
                      {[region, postal_codes.join(', ')].filter(Boolean).join(' · ')}
                    </Text>
                  )}
                </>
              ),
            },
            { name: w.columns.name, wide: true, cell: ({ name, combinable }) => (combinable ? w.beside(name) : name) },
            { name: w.columns.of, wide: true, cell: ({ tax_class }) => tax_class ?? w.standard },
            { name: w.columns.shipping, wide: true, cell: ({ applies_to_shipping }) => (applies_to_shipping ? w.shipping : w.noShipping) },
            { name: w.columns.rate, end: true, width: 90, cell: ({ percentage }) => w.percent(f.number(Number(percentage))) },
          ]}
        />
        {rates.data && services.data && <RateServices kind="tax" services={services.data.data.filter(({ kind }) => kind === 'tax')} />}
      </Stack>
      {writes && (
        <Modal opened={opened !== undefined || filters.values.rate === 'new'} onClose={filters.clear} title={opened ? `${opened.name} · ${f.country(opened.country)}` : w.add} size="lg">
          <RateForm rate={opened} close={filters.clear} />
        </Modal>
      )}
    </Page>
  );
}
