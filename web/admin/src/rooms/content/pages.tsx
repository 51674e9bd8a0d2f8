import { Button, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconArticle, IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import classes from './pages.module.css';
import { EntryState } from './state';
import { useContentWords } from './words';

type Entry = Schemas['Page'];

/** All pages, and which of those that the law asks for are missing. */
export default function Pages() {
  const w = useContentWords();
  const f = useFormat();
  const { query, can, to } = useStore();
  const list = query.useInfiniteQuery('get', '/v1/pages', { params: { query: { limit: 50 } } }, pages);
  const add = can('content:write') && (
    <Button component={Link} to={to('pages/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.pages.add}
    </Button>
  );
  return (
    <Page title={w.pages.title} text={w.pages.text} actions={add}>
      <Stack gap="lg">
        <Legal />
        <List<Entry>
          label={w.pages.title}
          query={list}
          id={(page) => page.id}
          to={(page) => to(`pages/${page.id}`)}
          empty={<Empty icon={IconArticle} {...w.pages.empty} action={add} />}
          columns={[
            {
              name: w.columns.title,
              cell: (page) => (
                <>
                  <Text size="sm" fw={600}>
                    {page.title}
                  </Text>
                  {page.purpose && (
                    <Text size="xs" c="dimmed" fw={400}>
                      {w.legal.purposes[page.purpose]}
                    </Text>
                  )}
                </>
              ),
            },
            { name: w.columns.state, width: 140, cell: (page) => <EntryState state={page.state} /> },
            { name: w.columns.changed, wide: true, width: 180, cell: (page) => f.ago(page.updated_at) },
          ]}
        />
      </Stack>
    </Page>
  );
}

/** The pages that the law asks for, each with how far it is. */
function Legal() {
  const w = useContentWords();
  const { query, can, to } = useStore();
  const all = query.useQuery('get', '/v1/pages', { params: { query: { limit: 100 } } });
  const purposes = Object.keys(w.legal.purposes) as (keyof typeof w.legal.purposes)[];
  return (
    <Section title={w.legal.title} text={w.legal.text}>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 5 }} spacing="sm">
        {purposes.map((purpose) => {
          const page = all.data?.data.find((each) => each.purpose === purpose);
          return (
            <Link key={purpose} to={to(page ? `pages/${page.id}` : can('content:write') ? `pages/new?purpose=${purpose}` : 'pages')} className={classes.legal}>
              <Text size="sm" fw={600}>
                {w.legal.purposes[purpose]}
              </Text>
              {page ? <EntryState state={page.state} /> : all.data ? <State mood="wrong">{w.legal.missing}</State> : <Skeleton height={20} width={70} radius="xl" />}
            </Link>
          );
        })}
      </SimpleGrid>
    </Section>
  );
}
