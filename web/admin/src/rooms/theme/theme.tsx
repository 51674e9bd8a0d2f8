import { Alert, Anchor, Button, Group, SimpleGrid, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconArticle, IconBrush, IconExternalLink, IconLanguage, IconLink, IconLock, IconMenu2, IconNews, IconWorld } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router';
import { type Answer, answered, idempotencyKey, type Schemas } from '../../api/client';
import { tell, useWrite } from '../../api/write';
import { Page } from '../../page/page';
import { Section } from '../../page/section';
import { State } from '../../page/state';
import { Trouble } from '../../page/trouble';
import { useShellWords } from '../../shell/words';
import { useStore } from '../../session/store';
import { useFormat } from '../../words/format';
import { Preview, usePreviewLink } from './preview';
import classes from './theme.module.css';
import { useThemeWords } from './words';

/** The hosted shop as a whole: how it looks now, and the way to all that can be changed of it. */
export default function OnlineShop() {
  const w = useThemeWords();
  const f = useFormat();
  const { api, query, can, to, settings } = useStore();
  const client = useQueryClient();
  const theme = useQuery({ queryKey: ['theme'], queryFn: () => answered(api.GET('/v1/theme')) });
  const access = query.useQuery('get', '/v1/settings/shop-access', {}, { enabled: can('settings:read') });
  const url = usePreviewLink();
  const done = (answer: Answer<Schemas['Theme']>) => {
    client.setQueryData(['theme'], answer);
  };
  const header = () => ({ 'If-Match': theme.data?.version, 'Idempotency-Key': idempotencyKey() });
  const publish = useWrite({ write: () => answered(api.POST('/v1/theme/publish', { params: { header: header() } })), said: w.published, undoable: true, done });
  const discard = useWrite({ write: () => answered(api.POST('/v1/theme/discard', { params: { header: header() } })), said: w.discarded, undoable: true, done });
  if (theme.isLoadingError) return <Trouble error={theme.error} retry={theme.refetch} />;
  const design = theme.data?.data;
  const state = design && (design.unpublished_changes ? 'draft' : design.published_at ? 'published' : 'standard');
  const writes = can('content:write');
  return (
    <Page
      title={w.title}
      text={w.text}
      beside={state && <State mood={state === 'draft' ? 'waits' : 'well'}>{w.states[state]}</State>}
      actions={
        <Button component="a" href={settings.shop_url} target="_blank" rel="noopener" variant="default" leftSection={<IconExternalLink size={17} aria-hidden />}>
          {w.visit}
        </Button>
      }
    >
      <Stack gap="lg">
        {access.data && access.data.state !== 'open' && (
          <Alert color="yellow" icon={<IconLock size={18} />}>
            {w.closed[access.data.state]}{' '}
            <Anchor component={Link} to={to('access')} size="sm" fw={600}>
              {w.closed.change}
            </Anchor>
          </Alert>
        )}
        {design && design.dead_links.length > 0 && (
          <Alert color="yellow" icon={<IconAlertTriangle size={18} />} title={w.dead.title}>
            {w.dead.text(design.dead_links.length)}
          </Alert>
        )}
        <Section flush>
          <div className={classes.stage}>
            {writes && (
              <>
                <div className={classes.desk}>{url && <Preview still url={url} device="desktop" scheme="light" />}</div>
                <div className={classes.phone}>{url && <Preview still url={url} device="phone" scheme="light" />}</div>
              </>
            )}
          </div>
          <Group justify="space-between" p="lg" gap="sm" className={classes.foot}>
            {design ? (
              <div>
                <Title order={2}>{w.themes[design.theme].title}</Title>
                <Text size="sm" c="dimmed">
                  {design.unpublished_changes ? w.waiting : design.published_at ? w.publishedAt(f.ago(design.published_at)) : w.standard}
                </Text>
              </div>
            ) : (
              <Skeleton height={40} width={240} />
            )}
            <Group gap="sm">
              {writes && design?.unpublished_changes && (
                <>
                  <Button variant="subtle" color="gray" loading={discard.isPending} onClick={() => discard.mutate()}>
                    {w.discard}
                  </Button>
                  <Button variant="default" loading={publish.isPending} onClick={() => publish.mutate()}>
                    {w.publish}
                  </Button>
                </>
              )}
              {writes && url && (
                <Button
                  variant="default"
                  leftSection={<IconLink size={17} aria-hidden />}
                  onClick={() => {
                    void navigator.clipboard.writeText(url);
                    tell(w.shared);
                  }}
                >
                  {w.share}
                </Button>
              )}
              <Button component={Link} to={to('theme/edit')} leftSection={<IconBrush size={17} aria-hidden />}>
                {w.customise}
              </Button>
            </Group>
          </Group>
        </Section>
        <Rooms />
      </Stack>
    </Page>
  );
}

const rooms = [
  { path: 'pages', needs: 'content:read', name: 'pages', icon: IconArticle },
  { path: 'blog', needs: 'content:read', name: 'blog', icon: IconNews },
  { path: 'menus', needs: 'content:read', name: 'menus', icon: IconMenu2 },
  { path: 'domains', needs: 'domains:read', name: 'domains', icon: IconWorld },
  { path: 'access', needs: 'settings:read', name: 'access', icon: IconLock },
  { path: 'languages', needs: 'translations:read', name: 'languages', icon: IconLanguage },
] as const;

/** The ways to what else the shop is made of. */
function Rooms() {
  const w = useThemeWords();
  const shell = useShellWords();
  const { can, to } = useStore();
  return (
    <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="md">
      {rooms
        .filter(({ needs }) => can(needs))
        .map(({ path, name, icon: Icon }) => (
          <Link key={path} to={to(path)} className={classes.room}>
            <Icon size={22} stroke={1.5} aria-hidden />
            <div>
              <Text fw={600} size="sm">
                {shell.screens[name]}
              </Text>
              <Text size="sm" c="dimmed">
                {w.rooms[name]}
              </Text>
            </div>
          </Link>
        ))}
    </SimpleGrid>
  );
}
