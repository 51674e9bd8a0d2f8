import { Button, Card, Center, Checkbox, Menu, Skeleton, Stack, Text } from '@mantine/core';
import { IconColumns3 } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { type ClipboardEvent, type KeyboardEvent, memo, useMemo, useState } from 'react';
import { answered, idempotencyKey, type Schemas } from '../../api/client';
import { Refused } from '../../api/problem';
import { complain, useWrite } from '../../api/write';
import { useFilters } from '../../page/filters';
import { SaveBar } from '../../page/form';
import { Page } from '../../page/page';
import { Trouble } from '../../page/trouble';
import { useStore } from '../../session/store';
import { useWords } from '../../words/everywhere';
import { useFormat } from '../../words/format';
import { useCategoryChoices } from '../categories/tree';
import classes from './grid.module.css';
import { type Cell, type Column, type Edits, columnsFor, firstColumns, isWrong, productItems, variantItems } from './gridcolumns';
import { useAsked } from './asked';
import { useProductWords } from './words';

type Product = Schemas['Product'];
type Variant = Schemas['Variant'];

/** A row of the grid: a product, one of its variants, or both where it has but one. */
type Row = { product: Product; variant?: Variant; whole: boolean };

const rowsOf = (product: Product): Row[] =>
  product.variant_count === 1 && product.variants[0]
    ? [{ product, variant: product.variants[0], whole: true }]
    : [{ product, whole: true }, ...product.variants.map((variant) => ({ product, variant, whole: false }))];

/** The thing that a column of a row is of, if there is one. */
const ownerOf = ({ product, variant, whole }: Row, { of }: Column) => (of === 'product' ? (whole ? product.id : undefined) : variant?.id);

/** Many products at once, as in a spreadsheet. */
export default function Grid() {
  const w = useProductWords();
  const everywhere = useWords();
  const { api, can, settings } = useStore();
  const f = useFormat();
  const asked = useAsked();
  const filters = useFilters('columns');
  const currencies = [settings.currency, ...settings.currencies.filter((currency) => currency !== settings.currency)];
  const all = columnsFor(currencies);
  const chosen = filters.values.columns ? filters.values.columns.split(',') : firstColumns(settings.currency);
  const columns = all.filter(({ key }) => chosen.includes(key));
  const [edits, setEdits] = useState<Edits>({});
  const client = useQueryClient();
  const list = useInfiniteQuery({
    queryKey: ['grid', asked.key],
    initialPageParam: '',
    queryFn: async ({ pageParam }) => asked.page(pageParam),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const products = useMemo(() => list.data?.pages.flatMap((page) => page.data) ?? [], [list.data]);
  const rows = useMemo(() => products.flatMap(rowsOf), [products]);

  const change = (id: string, key: string, cell: Cell, there: Cell) =>
    setEdits((now) => {
      const { [key]: _, ...others } = now[id] ?? {};
      const own = cell === there ? others : { ...others, [key]: cell };
      const { [id]: __, ...rest } = now;
      return Object.keys(own).length > 0 ? { ...rest, [id]: own } : rest;
    });

  const wrong = rows.some((row) => columns.some((column) => isWrong(column, edits[ownerOf(row, column) ?? '']?.[column.key] ?? column.read(row, f.locale)) && edits[ownerOf(row, column) ?? '']?.[column.key] !== undefined));

  // That it has begun is seen by what shows what goes on.
  const begun = async <T,>(pending: Promise<T>) => {
    const answer = await pending;
    void client.invalidateQueries({ queryKey: ['get', '/v1/operations'] });
    return answer;
  };
  const save = useWrite({
    write: async () => {
      const failed: string[] = [];
      const items = productItems(products, edits);
      if (items.length > 0) failed.push(...(await finished(api, begun(answered(api.POST('/v1/products/bulk', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body: { action: 'update', items } }))))));
      const variants = variantItems(products, edits, settings.currency);
      if (variants.length > 0) failed.push(...(await finished(api, begun(answered(api.POST('/v1/variants/bulk', { params: { header: { 'Idempotency-Key': idempotencyKey() } }, body: { action: 'update', items: variants } }))))));
      return { data: failed, requests: [], version: undefined };
    },
    done: async ({ data: failed }) => {
      await list.refetch();
      setEdits((now) => Object.fromEntries(Object.entries(now).filter(([id]) => failed.includes(id))));
      if (failed.length > 0) complain(w.grid.refused(failed.length));
    },
  });

  // What comes from a spreadsheet fills the cells from where it is put, row by row.
  const paste = (event: ClipboardEvent) => {
    const text = event.clipboardData.getData('text/plain').replace(/\r?\n$/, '');
    const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-row]');
    if (!cell || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    const from = Number(cell.dataset.row);
    const first = columns.findIndex(({ key }) => key === cell.dataset.column);
    const lines = text.split(/\r?\n/).map((line) => line.split('\t'));
    lines[0]?.forEach((_, n) => {
      const column = columns[first + n];
      if (!column || column.kind === 'status' || column.kind === 'category' || column.kind === 'yes') return;
      const into = rows.slice(from).filter((row) => ownerOf(row, column) !== undefined);
      lines.forEach((line, at) => {
        const row = into[at];
        const owner = row && ownerOf(row, column);
        if (row && owner && line[n] !== undefined) change(owner, column.key, line[n].trim(), column.read(row, f.locale));
      });
    });
  };

  return (
    <Page
      title={w.grid.title}
      text={w.grid.text}
      back={asked.back}
      actions={
        <Menu closeOnItemClick={false} position="bottom-end">
          <Menu.Target>
            <Button variant="default" leftSection={<IconColumns3 size={17} aria-hidden />}>
              {w.grid.columns}
            </Button>
          </Menu.Target>
          <Menu.Dropdown mah={420} style={{ overflowY: 'auto' }}>
            {all.map((column) => (
              <Menu.Item
                key={column.key}
                role="menuitemcheckbox"
                aria-checked={chosen.includes(column.key)}
                leftSection={<Checkbox checked={chosen.includes(column.key)} readOnly tabIndex={-1} aria-hidden size="xs" styles={{ input: { pointerEvents: 'none' } }} />}
                onClick={() => filters.set({ columns: all.map(({ key }) => key).filter((key) => (key === column.key ? !chosen.includes(key) : chosen.includes(key))).join(',') })}
              >
                {nameOf(w, column, currencies.length > 1)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      }
    >
      {list.isLoadingError ? (
        <Trouble error={list.error} retry={list.refetch} />
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (wrong) complain(w.grid.wrong);
            else save.mutate();
          }}
        >
          <Card padding={0}>
            {list.isPending && (
              <Stack p="md">
                {[1, 2, 3, 4, 5, 6].map((n) => (
                  <Skeleton key={n} height={28} />
                ))}
              </Stack>
            )}
            {list.data && products.length === 0 && (
              <Text size="sm" c="dimmed" ta="center" py={56}>
                {w.nothing}
              </Text>
            )}
            {products.length > 0 && (
              <div className={classes.frame} role="region" aria-label={w.grid.title} tabIndex={-1}>
                {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- what is typed into its cells comes up to it */}
                <table className={classes.grid} onKeyDown={walk} onPaste={paste}>
                  <thead>
                    <tr>
                      <th className={classes.of}>{w.columns.product}</th>
                      {columns.map((column) => (
                        <th key={column.key} style={{ minWidth: column.width }}>
                          {nameOf(w, column, currencies.length > 1)}
                        </th>
                      ))}
                    </tr>
                  </thead>
                  <tbody>
                    {rows.map((row, n) => (
                      <Line
                        key={row.whole ? row.product.id : row.variant?.id}
                        n={n}
                        row={row}
                        columns={columns}
                        columnKeys={filters.values.columns}
                        ofProduct={edits[row.product.id]}
                        ofVariant={row.variant && edits[row.variant.id]}
                        writes={can('products:write') && !save.isPending}
                        change={change}
                      />
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            {list.hasNextPage && (
              <Center p="sm">
                <Button variant="subtle" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  {everywhere.more}
                </Button>
              </Center>
            )}
          </Card>
          <SaveBar dirty={Object.keys(edits).length > 0} saving={save.isPending} discard={() => setEdits({})} />
        </form>
      )}
    </Page>
  );
}

type LineProps = {
  n: number;
  row: Row;
  columns: Column[];
  /** The chosen columns, by which it is known that they are the same. */
  columnKeys: string;
  ofProduct?: Record<string, Cell>;
  ofVariant?: Record<string, Cell>;
  writes: boolean;
  change: (id: string, key: string, cell: Cell, there: Cell) => void;
};

/** One row; what is typed into another does not concern it. */
const Line = memo(
  function Line({ n, row, columns, ofProduct, ofVariant, writes, change }: LineProps) {
    const w = useProductWords();
    const { locale } = useFormat();
    const name = row.whole ? row.product.title : (row.variant?.title ?? '');
    return (
      <tr>
        <td className={classes.of}>
          <Text size="sm" fw={row.whole ? 500 : 400} truncate className={row.whole ? undefined : classes.within} title={name}>
            {name}
          </Text>
        </td>
        {columns.map((column) => {
          const owner = ownerOf(row, column);
          if (owner === undefined) return <td key={column.key} className={classes.nothing} aria-label={w.grid.nothing} />;
          const there = column.read(row, locale);
          const typed = (column.of === 'product' ? ofProduct : ofVariant)?.[column.key];
          const cell = typed ?? there;
          const state = typed === undefined ? undefined : isWrong(column, cell) ? classes.wrong : classes.changed;
          return (
            <td key={column.key} className={state}>
              <Field column={column} label={name} n={n} cell={cell} disabled={!writes} change={(next) => change(owner, column.key, next, there)} />
            </td>
          );
        })}
      </tr>
    );
  },
  (a, b) => a.row === b.row && a.n === b.n && a.columnKeys === b.columnKeys && a.ofProduct === b.ofProduct && a.ofVariant === b.ofVariant && a.writes === b.writes,
);

type FieldProps = { column: Column; label: string; n: number; cell: Cell; disabled: boolean; change: (cell: Cell) => void };

function Field({ column, label, n, cell, disabled, change }: FieldProps) {
  const w = useProductWords();
  const named = { 'aria-label': `${label}: ${nameOf(w, column, true)}`, 'data-row': n, 'data-column': column.key, disabled };
  switch (column.kind) {
    case 'yes':
      return (
        <div className={classes.check}>
          <Checkbox {...named} checked={cell === 'true'} onChange={(event) => change(String(event.currentTarget.checked))} />
        </div>
      );
    case 'status':
      return (
        <select {...named} className={classes.cell} value={cell} onChange={(event) => change(event.currentTarget.value)}>
          {Object.entries(w.status).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
      );
    case 'category':
      return <Shelf named={named} cell={cell} change={change} />;
    default:
      return (
        <input
          {...named}
          className={column.kind === 'text' ? classes.cell : `${classes.cell} ${classes.end}`}
          inputMode={column.kind === 'text' ? undefined : 'decimal'}
          maxLength={column.key === 'seo_description' ? 1000 : column.key === 'tags' ? 5000 : 255}
          value={cell}
          onChange={(event) => change(event.currentTarget.value)}
        />
      );
  }
}

/** Where a product stands. The others are listed only while one chooses, as there may be hundreds in each row. */
function Shelf({ named, cell, change }: { named: Record<string, unknown>; cell: Cell; change: (cell: Cell) => void }) {
  const categories = useCategoryChoices();
  const [choosing, setChoosing] = useState(false);
  return (
    <select {...named} className={classes.cell} value={cell} onFocus={() => setChoosing(true)} onMouseEnter={() => setChoosing(true)} onBlur={() => setChoosing(false)} onChange={(event) => change(event.currentTarget.value)}>
      <option value="">–</option>
      {categories
        .filter(({ value }) => choosing || value === cell)
        .map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
    </select>
  );
}

/** Enter and the arrows go from row to row, as in a spreadsheet. */
function walk(event: KeyboardEvent<HTMLTableElement>) {
  const cell = (event.target as HTMLElement).closest<HTMLElement>('[data-row]');
  const by = { ArrowDown: 1, Enter: 1, ArrowUp: -1 }[event.key];
  if (!cell || by === undefined || event.metaKey || event.ctrlKey || event.altKey || (cell instanceof HTMLSelectElement && event.key !== 'Enter')) return;
  event.preventDefault();
  const column = [...event.currentTarget.querySelectorAll<HTMLElement>(`[data-column="${cell.dataset.column}"]`)];
  const next = column[column.indexOf(cell) + (event.shiftKey ? -by : by)];
  next?.focus();
  if (next instanceof HTMLInputElement) next.select();
}

function nameOf(w: ReturnType<typeof useProductWords>, column: Column, several: boolean): string {
  const [kind = ''] = column.key.split('.');
  const name = (w.grid.names as Record<string, string>)[kind] ?? kind;
  return column.kind === 'money' && several ? `${name} (${column.currency})` : name;
}

/** Waits until a change of many is done, and gives those that were refused. */
async function finished(api: ReturnType<typeof useStore>['api'], asked: Promise<{ data: Schemas['Operation'] }>): Promise<string[]> {
  let { data: operation } = await asked;
  const path = { operation_id: operation.id };
  while (operation.state === 'queued' || operation.state === 'running') {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 400));
    // oxlint-disable-next-line no-await-in-loop
    operation = (await answered(api.GET('/v1/operations/{operation_id}', { params: { path } }))).data;
  }
  if (operation.error) throw new Refused({ type: 'about:blank', title: operation.error.detail, status: 422, code: operation.error.code, request_id: '' });
  if (operation.counts.failed === 0) return [];
  const rows = await answered(api.GET('/v1/operations/{operation_id}/rows', { params: { path, query: { outcome: 'failed', limit: 100 } } }));
  return rows.data.data.flatMap(({ resource_id }) => (resource_id ? [resource_id] : []));
}
