import { Button, Text } from '@mantine/core';
import { IconNews, IconPlus } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { Schemas } from '../../api/client';
import { Empty } from '../../page/empty';
import { List, pages } from '../../page/list';
import { Page } from '../../page/page';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { EntryState } from './state';
import { useContentWords } from './words';

/** The posts of the blog, the latest first. */
export default function Posts() {
  const w = useContentWords();
  const f = useFormat();
  const { query, can, to } = useStore();
  const list = query.useInfiniteQuery('get', '/v1/posts', { params: { query: { limit: 50 } } }, pages);
  const add = can('content:write') && (
    <Button component={Link} to={to('blog/new')} leftSection={<IconPlus size={18} aria-hidden />}>
      {w.posts.add}
    </Button>
  );
  return (
    <Page title={w.posts.title} text={w.posts.text} actions={add}>
      <List<Schemas['Post']>
        label={w.posts.title}
        query={list}
        id={(post) => post.id}
        to={(post) => to(`blog/${post.id}`)}
        empty={<Empty icon={IconNews} {...w.posts.empty} action={add} />}
        columns={[
          {
            name: w.columns.title,
            cell: (post) => (
              <>
                <Text size="sm" fw={600}>
                  {post.title}
                </Text>
                {post.excerpt && (
                  <Text size="xs" c="dimmed" fw={400} lineClamp={1}>
                    {post.excerpt}
                  </Text>
                )}
              </>
            ),
          },
          { name: w.columns.author, wide: true, width: 180, cell: (post) => post.author ?? '' },
          { name: w.columns.state, width: 140, cell: (post) => <EntryState state={post.state} /> },
          { name: w.columns.changed, wide: true, width: 180, cell: (post) => f.ago(post.updated_at) },
        ]}
      />
    </Page>
  );
}
